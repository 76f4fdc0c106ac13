import { expect, it } from 'vitest';
import { spec, strikeStream } from './stream-scenario.ts';

const scaled = (parallelism: number) => spec({ parallelism }, { 'jobmanager.scheduler': 'adaptive' });

it('a job whose parallelism changes runs on with it, whatever one request fails or function dies', () =>
  strikeStream({
    steps: [[scaled(2)], [scaled(4)]],
    from: 1,
    reached: 2,
    args: '1',
    told: ['accepted 2', 'rescaling 2', 'rescaled 2'],
    tellsAlways: true,
    others: 4,
    holds: ({ world, answer, run }) => {
      expect(world.deployments.invariants.runs.size).toBe(1);
      expect(answer?.run).toMatchObject({ id: run?.runId, generation: 2 });
      expect(run?.job?.options['parallelism.default']).toBe('4');
      const job = world.streams.truth.scaled.get(run?.attempts[0]?.jobId ?? '');
      expect(job?.history).toEqual([2, 4]);
      expect(job?.keepsFixed).toBe(true);
    },
  }));
