import { beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { Reason } from '../../../lib/core/reasons.ts';
import { launch } from '../../../lib/dispatch/launch.ts';
import { updateAttempt } from '../../../lib/run/machine.ts';
import type { ActiveRun, Attempt, RunRecord } from '../../../lib/run/record.ts';
import { runIdFor } from '../../../lib/core/ids.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

const START = 600_000;
const launching = (age = 0, change: Partial<RunRecord> = {}): ActiveRun =>
  ({ ...runIn('launching', age), ...change }) as ActiveRun;
const take = (run: ActiveRun) => launch(run, stepping.deps);
const attemptOf = ({ attempts }: RunRecord) => attempts.at(-1);
const asked = { at: 0, by: 'a person', reason: 'JobCanceled' } as const;
const revoked = (run: ActiveRun, change: Partial<Attempt> = {}) => updateAttempt(run, { startRevokedAt: 1, ...change });
const fails = (reason: Reason) => {
  stepping.clusters.apply = () => Promise.reject(new DispatchError(reason, `no ${reason}`));
};
/** A cluster of that name, made by that run. */
async function stands(run: ActiveRun, runId = run.runId): Promise<void> {
  const { namespace } = run.job;
  const cluster = { namespace, clusterId: run.attempts[0].clusterId, dependents: [] };
  await stepping.clusters.apply(cluster as never, { kind: 'run', runId, attempt: 1, ledger: 'ledger' });
}

describe('a launch', () => {
  it('makes the cluster, and the run starts', async () => {
    const { record, wait } = await take(launching());
    expect([record.state, wait]).toEqual(['starting', 0]);
    expect(attemptOf(record)?.createdAt).toBe(stepping.now);
    expect(stepping.clusters.calls).toEqual(['admit', 'apply']);
  });

  it.each<[Reason, boolean]>([
    ['ClusterUnavailable', true],
    ['StorageUnavailable', true],
    ['StateStorageUnavailable', true],
    ['RegistryUnavailable', true],
    ['Internal', true],
    ['PermissionDenied', true],
    ['ClusterNameTaken', false],
    ['QuotaExceeded', false],
    ['InvalidConfiguration', false],
  ])('that met %s is tried again as it is: %s', async (reason, passes) => {
    fails(reason);
    const taken = take(launching());
    if (passes) return expect(taken).rejects.toMatchObject({ reason });
    const { record, wait } = await taken;
    const outcome = { state: 'failed', reason, message: `no ${reason}`, at: stepping.now, evidence: [] };
    expect([record.state, wait]).toEqual(['launching', 0]);
    expect(attemptOf(record)).toMatchObject({ abortOutcome: outcome, startRevokedAt: stepping.now });
    return undefined;
  });

  it('that met a defect is tried again', async () => {
    stepping.clusters.apply = () => Promise.reject(new Error('a defect'));
    await expect(take(launching())).rejects.toThrow('a defect');
  });

  it.each<[Reason, number, boolean]>([
    ['PermissionDenied', 59_999, true],
    ['PermissionDenied', 60_000, false],
    ['ClusterUnavailable', 60_000, true],
  ])('without rights, after %s for %i ms, is tried again: %s', async (reason, since, passes) => {
    fails('PermissionDenied');
    const stepError = { since: stepping.now - since, count: 1, reason, message: 'm' };
    const taken = take(launching(0, { stepError }));
    if (passes) await expect(taken).rejects.toMatchObject({ reason: 'PermissionDenied' });
    else expect(attemptOf((await taken).record)?.abortOutcome).toMatchObject({ reason: 'PermissionDenied' });
  });

  it('is no launch where what it starts from is gone', async () => {
    const run = launching();
    const restoredFrom = { kind: 'savepoint', path: 's3://state/sp' } as const;
    const stream = updateAttempt({ ...run, job: { ...run.job, state: {} as never } }, { restoredFrom });
    expect(attemptOf((await take(stream)).record)?.abortOutcome).toMatchObject({ reason: 'StateUnreadable' });
    expect(stepping.clusters.calls).not.toContain('apply');
  });
});

describe('a launch that is given up', () => {
  it.each<[string, () => ActiveRun, string | undefined]>([
    ['canceled', () => launching(0, { cancelRequested: asked }), 'Canceled by a person while its cluster was created'],
    ['late', () => launching(START), 'The cluster could not be created within deadlines.start: no answer'],
    ['a moment before it is late', () => launching(START - 1), undefined],
    [
      'late, with trouble',
      () => launching(START, { stepError: { since: 0, count: 1, reason: 'QuotaExceeded', message: 'no room' } }),
      'The cluster could not be created within deadlines.start: no room',
    ],
  ])('as it is %s, lets nothing begin, and says why', async (_, run, message) => {
    const first = (await take(run())).record as ActiveRun;
    if (message === undefined) return expect(first.state).toBe('starting');
    expect([first.state, attemptOf(first)?.startRevokedAt, stepping.clusters.calls]).toEqual([
      'launching',
      stepping.now,
      [],
    ]);
    const { record } = await take(first);
    expect(stepping.clusters.calls).toEqual(['withdraw', 'observe']);
    const told = record.outcome ?? attemptOf(record)?.outcome;
    expect(told?.message).toBe(message);
    expect(told).toMatchObject({ at: stepping.now, evidence: [] });
    return undefined;
  });

  it('has the reason of its trouble, or of its deadline', async () => {
    const reasonOf = async (run: ActiveRun) => {
      const { record } = await take(revoked(run));
      return (record.outcome ?? attemptOf(record)?.outcome)?.reason;
    };
    expect(await reasonOf(launching(START))).toBe('StartDeadlineExceeded');
    const stepError = { since: 0, count: 1, reason: 'QuotaExceeded', message: 'no room' } as const;
    expect(await reasonOf(launching(START, { stepError }))).toBe('QuotaExceeded');
    expect(await reasonOf(launching(START, { stepError, cancelRequested: asked }))).toBe('JobCanceled');
    const abortOutcome = { state: 'failed', reason: 'ClusterNameTaken', message: 'm', at: 0, evidence: [] } as const;
    expect(await reasonOf(revoked(launching(START), { abortOutcome }))).toBe('ClusterNameTaken');
  });

  it('is judged by what its cluster has done, where that was made', async () => {
    const run = revoked(launching(0, { cancelRequested: asked }));
    await stands(run);
    const { record, wait } = await take(run);
    expect([record.state, wait, attemptOf(record)?.createdAt]).toEqual(['starting', 0, stepping.now]);
  });

  it('leaves the cluster of another run alone', async () => {
    const run = revoked(launching(0, { cancelRequested: asked }));
    await stands(run, runIdFor('another'));
    expect((await take(run)).record.outcome).toMatchObject({ state: 'canceled' });
  });

  it('is asked about again while Kubernetes does not answer, and not known when it is late', async () => {
    stepping.clusters.observe = () => Promise.reject(new DispatchError('ClusterUnavailable', 'away'));
    await expect(take(revoked(launching(0, { cancelRequested: asked })))).rejects.toThrow('away');
    const run = revoked(launching(START, { cancelRequested: asked }));
    const { record } = await take(run);
    const message = 'Canceled by a person while its cluster was created; whether it was created is not known';
    expect(record.outcome).toMatchObject({ state: 'unknown', reason: 'JobCanceled', message });
    expect(stepping.logged).toEqual([`warn nobody knows what was made {"runId":"${run.runId}","error":"away"}`]);
  });
});
