import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { omit } from '../../lib/core/omit.ts';
import { addEvent } from '../../lib/deployment/events.ts';
import { afterRun } from '../../lib/deployment/after-run.ts';
import type { DeploymentRecord, DeploymentRun, SnapshotRequest } from '../../lib/deployment/record.ts';
import { removals } from '../../lib/deployment/removals.ts';
import { giveUpRequest, requestDone, requestFailed } from '../../lib/deployment/requests.ts';
import { targetOf } from '../../lib/deployment/rollback.ts';
import type { Attempt, Outcome, RunRecord } from '../../lib/run/record.ts';
import { NOW, runIn } from '../verdict/observations.ts';
import type { jobIn } from './job.ts';
import { recordOf } from './job.ts';
import { request } from './request.ts';

const OWN = runIdFor('own');
const own: DeploymentRun = { id: OWN, generation: 2, why: 'upgrade', at: 0, runningAt: 1 };
const FIRST = { kind: 'savepoint', path: 's3://b/sp-1' } as const;
const NEWER = { kind: 'checkpoint', path: 's3://b/chk-9' } as const;

/** Generation 2 runs, from what the stable generation 1 left. */
function running(change: Partial<DeploymentRecord> = {}, run: Partial<DeploymentRun> = {}): DeploymentRecord {
  const record = recordOf([request('a', 1), request('b', 2)]);
  return {
    ...record,
    ...{ state: 'running', reached: 2, runs: 2, run: { ...own, startFrom: FIRST, ...run } },
    stable: { generation: 1, at: 0, left: FIRST },
    ...change,
  };
}

function gone(
  outcome: Partial<Outcome> = {},
  attempt: Partial<Attempt> = {},
  change: Partial<RunRecord> = {},
): RunRecord {
  const { attempts, ...run } = runIn('ended', 1_000);
  const plain: Outcome = { state: 'failed', reason: 'JobFailed', message: 'why', at: NOW, evidence: [] };
  return {
    ...run,
    ...{ runId: OWN, state: 'closed', startFrom: FIRST, outcome: { ...plain, ...outcome } },
    attempts: [{ ...attempts[0], restoredFrom: FIRST, ...attempt }],
    ...change,
  } as RunRecord;
}

const told = (record: DeploymentRecord) => record.events.at(-1)?.type;

describe('what a stream goes on from once its run is gone', () => {
  const stop = { mode: 'savepoint', format: 'CANONICAL', until: NOW, fallback: 'none', why: 'suspend', at: 0 } as const;

  it('is what it left, and that is in its history with why', () => {
    const after = afterRun(running({}, { stop }), gone({}, { snapshot: NEWER }), NOW);
    expect(after).toMatchObject({
      newest: { ...NEWER, run: OWN },
      last: { id: OWN, generation: 2 },
      snapshots: [{ snapshot: NEWER, why: 'suspend', generation: 2, at: NOW }],
    });
    expect(after).not.toHaveProperty('run');
    expect(afterRun(running(), gone({}, { snapshot: NEWER }), NOW).snapshots[0]?.why).toBe('end');
    const savedBy = { ...NEWER, run: runIdFor('another') };
    expect(afterRun(running(), gone({}, { snapshot: savedBy }), NOW).newest).toEqual(savedBy);
  });

  it('is what its last attempt began from where it left nothing, else what the run began from', () => {
    const [attempt] = gone().attempts;
    if (attempt === undefined) throw new Error('no attempt');
    const bare = omit(attempt, 'restoredFrom');
    const newest = (...attempts: readonly Attempt[]) =>
      afterRun(running(), { ...gone(), attempts } as RunRecord, NOW).newest;
    expect(newest({ ...attempt, restoredFrom: NEWER })).toEqual(NEWER);
    expect(newest({ ...attempt, restoredFrom: NEWER }, { ...bare, number: 2 })).toEqual(NEWER);
    expect(newest(attempt, { ...attempt, number: 2, restoredFrom: NEWER })).toEqual(NEWER);
    expect(newest({ ...attempt, snapshot: NEWER }, { ...bare, number: 2 })).toMatchObject(NEWER);
    expect([newest(bare), newest()]).toEqual([FIRST, FIRST]);
  });

  it('is for a person to say where the newest state is not known', () => {
    const after = afterRun(running(), gone({}, {}, { stateUnknown: { message: 'no answer' } }), NOW);
    expect(after).toMatchObject({ unknown: 'no answer', state: 'blocked' });
  });

  it('is a savepoint that was being taken, where that is complete', () => {
    const directory = 's3://b/sp/x-r4';
    const asked: SnapshotRequest = {
      ...{ ordinal: 4, kind: 'savepoint', why: 'nonce', run: OWN, triggerId: 't', directory, format: 'CANONICAL' },
      ...{ at: NOW, until: NOW + 1 },
    };
    const done = afterRun(
      running({ request: asked }),
      gone({}, { snapshot: { kind: 'savepoint', path: `${directory}/s` } }),
      NOW,
    );
    expect(done.snapshots[0]?.why).toBe('nonce');
    expect(done.leftovers).toEqual([]);
    expect(done).not.toHaveProperty('request');
    for (const snapshot of [{ kind: 'savepoint', path: 's3://b/sp/x-r44/s' } as const, undefined]) {
      const lost = afterRun(running({ request: asked }), gone({}, snapshot && { snapshot }), NOW);
      expect(lost.leftovers).toEqual([{ directory, run: OWN }]);
      expect(lost).not.toHaveProperty('request');
    }
  });
});

describe('whether another run follows', () => {
  it('none where the job has finished, until somebody wants something else', () => {
    const after = afterRun(running(), gone({ state: 'succeeded', reason: 'JobFinished' }), NOW);
    expect(after).toMatchObject({ state: 'finished', finishedAt: NOW, settled: { reason: 'JobFinished' } });
    expect(told(after)).toBe('finished');
  });

  it('none where somebody else ended it', () => {
    const canceled = afterRun(running(), gone({ state: 'canceled', reason: 'JobCanceled' }), NOW);
    expect(canceled).toMatchObject({ state: 'suspended', settled: { reason: 'JobCanceled', generation: 2 } });
    const stopped = { state: 'succeeded', reason: 'StoppedWithSavepoint' } as const;
    expect(afterRun(running(), gone(stopped), NOW).state).toBe('suspended');
  });

  it('what is wanted, where that is something else, or it was asked to end', () => {
    const record = running({ wanted: 1 });
    expect(afterRun(record, gone(), NOW)).not.toHaveProperty('settled');
    const stop = { mode: 'cancel', why: 'restart', at: 0 } as const;
    expect(afterRun(running({}, { stop }), gone(), NOW)).not.toHaveProperty('settled');
  });

  it('the last stable generation, in place of one that failed and left nothing new', () => {
    const after = afterRun(running(), gone(), NOW);
    expect(after).toMatchObject({ wanted: 3, state: 'rolling-back', newest: FIRST });
    const [stable, failed, again] = after.generations;
    expect(again).toMatchObject({ job: stable?.job, plan: stable?.plan, rollbackOf: 2, jobIn: stable?.requestId });
    expect(failed).toMatchObject({ rejected: { reason: 'JobFailed' } });
    expect(stable).not.toHaveProperty('rejected');
  });

  it.each<readonly [string, DeploymentRecord, RunRecord]>([
    ['it left state that is newer', running(), gone({}, { snapshot: NEWER })],
    ['it has completed a checkpoint', running({}, { checkpoints: { at: 1, own: true } }), gone()],
    [
      'it has completed a savepoint',
      running({ snapshots: [{ ordinal: 1, snapshot: { ...NEWER, run: OWN }, why: 'nonce', at: 1, generation: 2 }] }),
      gone(),
    ],
    ['nobody knows what it has completed', running(), gone({}, {}, { stateUnknown: { message: 'x' } })],
    ['a person took its cluster away', running(), gone({ reason: 'ClusterDeleted' })],
  ])('none where %s: a person is to decide', (_why, record, run) => {
    expect(afterRun(record, run, NOW)).toMatchObject({ wanted: 2, state: 'blocked' });
  });
});

describe('whether a generation is stable once its run is gone', () => {
  const stop = { mode: 'savepoint', format: 'CANONICAL', until: NOW, fallback: 'none', why: 'upgrade', at: 0 } as const;
  const stopped = { state: 'succeeded', reason: 'StoppedWithSavepoint' } as const;
  const stableAfter = (record: DeploymentRecord, run: RunRecord) => afterRun(record, run, NOW).stable;

  it('it is where it was stopped in good order, and what it left is what it would go on from', () => {
    const after = afterRun(running({}, { stop }), gone(stopped, { snapshot: NEWER }), NOW);
    expect(after.stable).toMatchObject({ generation: 2, at: NOW, left: NEWER });
    expect(after.events.map(({ type }) => type)).toContain('stable');
    const well = {
      health: { at: 1, tasksRun: true, restarts: 0, failedCheckpoints: 0, takesCheckpoint: false },
    } as const;
    const canceled = gone({ state: 'canceled', reason: 'JobCanceled' }, { snapshot: NEWER });
    const checkpoints = { at: 1, own: true };
    expect(stableAfter(running({}, { stop, ...well, checkpoints }), canceled)?.generation).toBe(2);
    for (const change of [{ ...well }, { checkpoints }, { ...well, checkpoints: { at: 1, own: false } }]) {
      expect(stableAfter(running({}, { stop, ...change }), canceled)?.generation).toBe(1);
    }
  });

  it('it is not where it left nothing, was not asked to end, or was ended for not being stable', () => {
    const nothing = { attempts: [], startFrom: undefined } as never;
    expect(stableAfter(running({}, { stop }), gone(stopped, {}, nothing))?.generation).toBe(1);
    expect(stableAfter(running(), gone(stopped, { snapshot: NEWER }))?.generation).toBe(1);
    const unstable = running({}, { stop: { mode: 'cancel', why: 'unstable', at: 0 } });
    expect(stableAfter(unstable, gone(stopped, { snapshot: NEWER }))?.generation).toBe(1);
  });

  it('one that was stable is so no longer when it fails, and goes on from what it left when it is stopped', () => {
    const known = { stable: { generation: 2, at: 5 } };
    expect(stableAfter(running(known), gone())).toBeUndefined();
    expect(stableAfter(running(known, { stop }), gone(stopped, { snapshot: NEWER }))).toMatchObject({
      at: 5,
      left: NEWER,
    });
    // Another one is stable still.
    expect(stableAfter(running(), gone())).toMatchObject({ generation: 1, left: FIRST });
  });

  it('one that was ended for not being stable makes room for the stable one, if nothing is lost by it', () => {
    const unstable = {
      stop: { mode: 'cancel', why: 'unstable', at: 0 },
      unstable: { at: 0, message: 'no tasks', restarts: 9 },
    } as const;
    const canceled = { state: 'canceled', reason: 'JobCanceled' } as const;
    const back = afterRun(running({}, unstable), gone(canceled), NOW);
    expect(back).toMatchObject({ wanted: 3, state: 'rolling-back' });
    expect(back.events.at(-1)).toMatchObject({ type: 'rolling-back', reason: 'NotStable', generation: 2, run: OWN });
    expect(afterRun(running({}, unstable), gone(canceled, { snapshot: NEWER }), NOW).wanted).toBe(2);
    const asked = running({}, { ...unstable, stop: { ...unstable.stop, why: 'restart' } });
    expect(afterRun(asked, gone(canceled), NOW).wanted).toBe(2);
  });

  it('one whose checkpoints nobody could list makes no room', () => {
    const record = running();
    const generations = record.generations.map((one) => ({ ...one, plan: omit(one.plan, 'checkpointDirectory') }));
    const run = gone({}, { runtime: { jobId: 'x', type: 'STREAMING', checkpointInterval: 1_000 } });
    expect(afterRun({ ...record, generations }, run, NOW).wanted).toBe(2);
    const none = gone({}, { runtime: { jobId: 'x', type: 'STREAMING' } });
    expect(afterRun({ ...record, generations }, none, NOW).wanted).toBe(3);
    const unseen = { ...record, generations, run: omit(record.run ?? own, 'runningAt') };
    expect(afterRun(unseen, run, NOW).wanted).toBe(3);
  });
});

describe('what a generation is rolled back to', () => {
  const of = (record: DeploymentRecord) => targetOf(record, record.run ?? own)?.number;
  const stable = { generation: 1, at: 0, left: FIRST } as const;
  const withPlan = (number: number, plan: Partial<ReturnType<typeof jobIn>['state']>): DeploymentRecord => {
    const record = running();
    const generations = record.generations.map((one) =>
      one.number === number ? { ...one, plan: { ...one.plan, ...plan } } : one,
    );
    return { ...record, generations };
  };

  it('is the stable one, whose state it started from', () => {
    expect(of(running())).toBe(1);
    const empty = omit({ ...own }, 'startFrom');
    expect(of({ ...withPlan(1, { upgradeMode: 'stateless' }), run: empty })).toBe(1);
  });

  it.each<readonly [string, DeploymentRecord]>([
    ['none was stable', omit(running(), 'stable')],
    ['it is the stable one itself', running({ stable: { ...stable, generation: 2 } })],
    ['it started from something else', running({}, { startFrom: NEWER })],
    ['the stable one left nothing', running({ stable: { generation: 1, at: 0 } })],
    ['it began without the state of the stable one', { ...running(), run: omit({ ...own }, 'startFrom') }],
    ['a person is to decide', withPlan(2, { rollback: 'manual' })],
    ['another job is wanted', running({ wanted: 1 })],
  ])('is nothing where %s', (_why, record) => {
    expect(of(record)).toBeUndefined();
  });
});

describe('what is never taken away', () => {
  const directory = 's3://b/sp/x';

  it('what a run that is not gone may write still', () => {
    const leftovers = [{ directory, run: OWN }];
    expect(removals(running({ leftovers }))).toEqual([]);
    const leaving = { ...omit(running({ leftovers }), 'run'), leaving: { id: OWN } };
    expect(removals(leaving)).toEqual([]);
    expect(removals(omit(leaving, 'leaving'))).toEqual([{ kind: 'remove-leftover', directory }]);
    const other = running({ leftovers, leaving: { id: OWN } }, { id: runIdFor('x') });
    expect(removals(other)).toEqual([]);
  });

  it('what is in the history, but for what is marked to be deleted', () => {
    const kept = { ordinal: 7, snapshot: { ...NEWER, run: OWN }, why: 'nonce', at: 1, generation: 2 } as const;
    expect(removals(running({ snapshots: [kept] }))).toEqual([]);
    expect(removals(running({ snapshots: [{ ...kept, deletingAt: 9 }] }))).toMatchObject([
      { kind: 'remove-snapshot', ordinal: 7 },
    ]);
  });

  it('an event that nobody has been told', () => {
    let record = running();
    for (let n = 0; n < 60; n += 1) record = addEvent(record, 'delayed', n);
    const before = record.events.length;
    expect(before).toBeGreaterThan(60);
    const published = { ...record, events: record.events.map((one) => ({ ...one, publishedAt: 1 })) };
    const kept = addEvent(published, 'delayed', 99).events;
    expect(kept).toHaveLength(20);
    expect(kept.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 20 }, (_, n) => before + 1 - 19 + n));
  });
});

describe('a snapshot that is asked for', () => {
  const directory = `s3://b/sp/d/${OWN}-r4`;
  const asked: SnapshotRequest = {
    ...{ ordinal: 4, kind: 'savepoint', why: 'periodic', run: OWN, triggerId: 't', directory, format: 'CANONICAL' },
    ...{ at: NOW, until: NOW + 1_000 },
  };
  const record = running({ request: asked, requests: 4 });

  it('is kept when it is complete, unless another one is asked for by now', () => {
    const done = requestDone(record, 4, NEWER, NOW);
    expect(done.snapshots).toMatchObject([{ snapshot: NEWER, why: 'periodic' }]);
    expect(done).not.toHaveProperty('request');
    expect(requestDone(record, 3, NEWER, NOW)).toBe(record);
    const checkpoint = requestDone({ ...record, request: { ...asked, kind: 'checkpoint' } }, 4, NEWER, NOW);
    expect([checkpoint.snapshots, told(checkpoint)]).toEqual([[], 'snapshot']);
  });

  it('is tried again under another number, in another place, until its time is over', () => {
    const again = requestFailed(record, 4, 'no', NOW);
    expect(again).toMatchObject({
      requests: 5,
      request: { ordinal: 5, directory: `s3://b/sp/d/${OWN}-r5`, until: asked.until },
      leftovers: [{ directory, run: OWN }],
    });
    expect(again.request?.triggerId).not.toBe(asked.triggerId);
    expect(requestFailed(record, 3, 'no', NOW)).toBe(record);
    const over = requestFailed(record, 4, 'no', asked.until);
    expect(over).not.toHaveProperty('request');
    expect([over.leftovers, told(over)]).toEqual([[{ directory, run: OWN }], 'snapshot-failed']);
    expect(giveUpRequest(omit(record, 'request'), NOW, 'x')).not.toHaveProperty('request');
  });
});
