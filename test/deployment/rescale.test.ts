import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { decideDeployment } from '../../lib/deployment/decide.ts';
import type { DeploymentRecord, DeploymentRun, Generation, SnapshotRequest } from '../../lib/deployment/record.ts';
import { rescaled } from '../../lib/deployment/scale/rescale.ts';
import { onTrial } from '../../lib/deployment/stable.ts';
import { jobIn, recordOf, runningIn } from './job.ts';
import { request } from './request.ts';

const NOW = 1_000_000;
const RUN = runIdFor('a run');

const jobWith = (parallelism: number) => ({
  ...jobIn('a'),
  options: { 'jobmanager.scheduler': 'adaptive', 'parallelism.default': String(parallelism) },
});

/** The job runs with parallelism 2, and 4 is wanted. */
function record(change: Partial<DeploymentRecord> = {}): DeploymentRecord {
  const both = [2, 4].map((n) => request(`request ${n}`, n, { job: jobWith(n) }));
  const own = { id: RUN, generation: 1, why: 'create', at: 0, runningAt: 0 } as const;
  return { ...recordOf(both), state: 'running', reached: 1, runs: 1, run: own, ...change };
}

const run = runningIn(RUN, jobWith(2));

describe('a rescale', () => {
  it('is on record before Flink is asked', () => {
    const { record: next, effects, dueAt } = decideDeployment(record(), run, NOW);
    expect(next).toMatchObject({
      state: 'rescaling',
      run: { rescale: { generation: 2, at: NOW, until: NOW + 60_000 } },
    });
    expect(effects).toEqual([{ kind: 'rescale', run: next.run }]);
    expect(dueAt).toBe(NOW + 5000);
    expect(decideDeployment(next, run, NOW + 5000).record).toEqual(next);
  });

  it('that a restart goes with is an upgrade', () => {
    const [before, wanted] = record().generations;
    const both = { ...wanted, wish: { state: 'running', nonces: { restart: 7 } } } as Generation;
    const { record: next } = decideDeployment(record({ generations: [before as Generation, both] }), run, NOW);
    expect(next.run?.rescale).toBeUndefined();
    expect(next.run?.stop?.why).toBe('upgrade');
  });

  it('is no restart that counts against its generation', () => {
    const since = NOW - 600_000;
    const own = { id: RUN, generation: 1, why: 'create', at: 0, runningAt: since } as const;
    const health = { tasksRun: true, restarts: 4 };
    const told = { ...own, health: { ...health, at: NOW }, checkpoints: { own: true, at: NOW } } as DeploymentRun;
    const settled = record({ wanted: 1 });
    const typesAfter = (rescales: number) =>
      onTrial({ ...settled, run: { ...told, rescales } }, run, NOW).record.events.map(({ type }) => type);
    expect(typesAfter(1)).toContain('stable');
    expect(typesAfter(0)).toContain('unstable');
  });

  it('waits for a savepoint that is being taken', () => {
    const savepoint: SnapshotRequest = {
      ...{ ordinal: 1, kind: 'savepoint', why: 'nonce', run: RUN, triggerId: 'f'.repeat(32), format: 'CANONICAL' },
      ...{ directory: 's3://state/x', at: 0, until: NOW + 1 },
    };
    const waits = decideDeployment(record({ request: savepoint }), run, NOW);
    expect(waits.effects).toEqual([{ kind: 'take-snapshot', request: savepoint }]);
    expect(waits.record.run?.rescale).toBeUndefined();
    const given = decideDeployment(waits.record, run, NOW + 1);
    expect(given.record.events.map(({ type }) => type).slice(-2)).toEqual(['snapshot-failed', 'rescaling']);
  });

  it('of a job between two attempts waits for the next one', () => {
    const { record: next } = decideDeployment(record(), run, NOW);
    const { events, attempts, ...rest } = run;
    const waiting = { ...rest, events, attempts, state: 'waiting' } as const;
    expect(decideDeployment(next, waiting, NOW + 1).effects).toEqual([]);
  });

  it('is given up when nobody answers', () => {
    const { record: next } = decideDeployment(record(), run, NOW);
    expect(decideDeployment(next, run, NOW + 11 * 60_000 - 1).record).toEqual(next);
    const late = decideDeployment(next, run, NOW + 11 * 60_000);
    expect(late.effects).toMatchObject([{ kind: 'stop-run' }]);
    expect(late.record.events.at(-1)).toMatchObject({
      type: 'upgrading',
      message: expect.stringMatching(/not answer/) as string,
    });
  });

  it('that came true after another one was wanted tells nothing', () => {
    const { record: next } = decideDeployment(record(), run, NOW);
    expect(rescaled(next, RUN, 1, NOW)).toBe(next);
    expect(rescaled(next, runIdFor('another'), 2, NOW)).toBe(next);
    expect(rescaled(next, RUN, 2, NOW).run).toMatchObject({ generation: 2, rescales: 1 });
  });
});
