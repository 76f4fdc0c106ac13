import { describe, expect, it } from 'vitest';
import { stream, StreamWorld, type StreamOptions } from './stream-world.ts';

const MINUTE = 60_000;
const ADAPTIVE = {
  'jobmanager.scheduler': 'adaptive',
  'execution.checkpointing.savepoint-dir': 's3://state/savepoints',
  'execution.checkpointing.dir': 's3://state/checkpoints',
};
const scaled = (parallelism: number) => stream({ flinkConfiguration: ADAPTIVE }, { probation: '1m', parallelism });

/** Each effect of a rescale can go wrong once. */
describe('whoever dies over it', () => {
  it('leaves a job that comes to what is wanted', async () => {
    const live = async (options: StreamOptions): Promise<StreamWorld> => {
      const world = new StreamWorld(options);
      await world.request(scaled(2));
      await world.pass(3 * MINUTE);
      await world.request(scaled(4));
      await world.pass(5 * MINUTE);
      return world;
    };
    const { names } = (await live({})).effects;
    const first = names.indexOf('rescaling.requirements');
    const last = names.lastIndexOf('rescaling.vertices');
    expect(last - first).toBeGreaterThan(8);
    for (const kind of ['error', 'crash'] as const) {
      for (const when of ['before', 'after'] as const) {
        for (let at = first - 4; at <= last + 4; at += 1) {
          const world = await live({ fault: { kind, when, at }, losesMessages: kind === 'crash' && at % 2 === 0 });
          const where = `${kind} ${when} ${at}: ${names[at] ?? ''}`;
          expect(world.runs, where).toHaveLength(1);
          expect(world.deployment, where).toMatchObject({ state: 'running', reached: 2, run: { generation: 2 } });
          expect(world.scaled.history, where).toEqual([2, 4]);
          expect(world.scaled.keepsFixed, where).toBe(true);
          expect(world.runs.at(-1)?.job?.options['parallelism.default'], where).toBe('4');
          expect(
            world.told.filter((it) => it.startsWith('rescal')),
            where,
          ).toEqual(['rescaling 2', 'rescaled 2']);
          expect(world.violations, where).toEqual([]);
        }
      }
    }
  });
});
