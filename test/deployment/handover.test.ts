import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { omit } from '../../lib/core/omit.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type NextRun } from '../../lib/deployment/record.ts';
import { handOver, isFenced, isReady, prepare, takeBack } from '../../lib/deployment/prepare.ts';
import { preparing } from '../../lib/deployment/prepare-steps.ts';
import { updateAttempt } from '../../lib/run/machine.ts';
import type { Attempt, EndedRun, HasAttempt, Outcome, RunRecord } from '../../lib/run/record.ts';
import { NOW, runIn } from '../verdict/observations.ts';
import { jobIn, recordOf } from './job.ts';
import { request } from './request.ts';

const OWN = runIdFor('own');
const NEXT = runIdFor('next');
const savepoint = { kind: 'savepoint', path: 's3://b/sp-1' } as const;
const own: DeploymentRun = { id: OWN, generation: 1, why: 'create', at: 0, runningAt: 0 };
const next: NextRun = { id: NEXT, generation: 2, at: NOW - 1_000, until: NOW + 60_000 };

/** A job that runs, and another one that is wanted, which is made before the first is asked to end. */
function upgrading(change: Partial<DeploymentRecord> = {}): DeploymentRecord {
  const job = { ...jobIn('b'), state: { ...jobIn('b').state, prepareUpgrade: true as const } };
  const record = recordOf([request('a', 1), request('b', 2, { job })]);
  return { ...record, state: 'running', reached: 1, runs: 1, run: own, ...change };
}

function wantedOf(record: DeploymentRecord) {
  const wanted = generationOf(record, record.wanted);
  if (wanted === undefined) throw new Error('nothing is wanted');
  return wanted;
}

const prepared = (
  record: DeploymentRecord,
  run?: RunRecord,
  why: 'upgrade' | 'restart' | 'suspend' = 'upgrade',
  now = NOW,
) => prepare(record, { wanted: wantedOf(record), why, next: run, now });

const held = (change: Partial<RunRecord> = {}): RunRecord =>
  ({ ...runIn('starting', 1_000), runId: NEXT, prepared: {}, ...change }) as RunRecord;
const ready = held({ prepared: { readyAt: NOW - 1 } });

function endedOf(outcome: Partial<Outcome>): EndedRun & HasAttempt {
  const plain: Outcome = { state: 'failed', reason: 'JobFailed', message: 'why', at: NOW, evidence: [] };
  return { ...runIn('ended', 1_000), runId: NEXT, prepared: {}, outcome: { ...plain, ...outcome } };
}

describe('the next run is made before its turn', () => {
  it('where the plan has it so and the job that runs goes well', () => {
    const made = prepared(upgrading());
    expect(made).toMatchObject({
      kind: 'wait',
      record: { state: 'preparing', runs: 2, run: own },
      next: { generation: 2, until: NOW + 300_000 },
    });
    expect(prepared(upgrading(), undefined, 'restart').kind).toBe('wait');
  });

  it('also where it follows one that was ready, and was refused', () => {
    const refused = { ...ready, runId: runIdFor('refused') };
    const made = preparing(upgrading(), next, refused, NOW);
    expect(made.effects).toEqual([{ kind: 'prepare-run', next }]);
    expect(preparing(upgrading(), next, ready, NOW).effects).toEqual([{ kind: 'check-state', next }]);
  });

  it.each<readonly [string, Partial<DeploymentRecord>]>([
    ['the run before the present one is not gone yet', { leaving: { id: runIdFor('x') } }],
    ['the present run was not seen running yet', { run: { id: OWN, generation: 1, why: 'create', at: 0 } }],
    ['the deployment is upgrading', { state: 'upgrading' }],
  ])('not where %s, and says so once', (why, change) => {
    const { kind, record } = prepared(upgrading(change));
    expect(kind).toBe('done');
    expect(record).toMatchObject({ ...change, unprepared: 2 });
    const message = `The upgrade goes on without a prepared run: ${why}`;
    expect(record.events.at(-1)).toMatchObject({ type: 'unprepared', generation: 2, message });
    expect(prepared(record)).toEqual({ kind: 'done', record });
  });

  it('not where the job is only to stop, nor where the plan says nothing', () => {
    expect(prepared(upgrading(), undefined, 'suspend')).toMatchObject({ kind: 'done' });
    const plain = { ...recordOf([request('a', 1), request('b', 2)]), run: own, state: 'running' as const };
    expect(prepared(plain)).toEqual({ kind: 'done', record: plain });
  });
});

describe('the job that runs goes on', () => {
  const record = upgrading({ next, state: 'preparing' });

  it('until the next run is ready, or its time is over', () => {
    expect(prepared(record)).toMatchObject({ kind: 'wait', next });
    expect(prepared(record, held())).toMatchObject({ kind: 'wait', next });
    expect(prepared(record, ready)).toEqual({ kind: 'done', record });
    const late = prepared(record, held(), 'upgrade', next.until);
    expect(late).toMatchObject({ kind: 'wait', next: { dropped: true }, record: { unprepared: 2 } });
  });

  it('where the next run fails by itself', () => {
    expect(prepared(record, endedOf({ reason: 'JobFailed', message: 'no' }))).toMatchObject({
      ...{ kind: 'failed', reason: 'JobFailed', message: 'no' },
      record: { state: 'running', run: own },
    });
    expect(prepared(record, endedOf({})).record).toHaveProperty('next.dropped', true);
  });

  it.each<Outcome['reason']>([
    ...(['QuotaExceeded', 'StartDeadlineExceeded', 'PodEvicted', 'ClusterDeleted'] as const),
    ...(['JobCanceled', 'RestUnreachable', 'ClusterUnavailable'] as const),
  ])('no longer where the next one met what it would not meet alone: %s', (reason) => {
    const after = prepared(record, endedOf({ reason }));
    expect(after).toMatchObject({ kind: 'done', record: { unprepared: 2 } });
    expect(after.record).toHaveProperty('next.dropped', true);
  });

  it('no longer than the next one has to become ready where the one before it does not go, and says so', () => {
    const stale = { ...record, next: { ...next, generation: 1, dropped: true as const } };
    expect(prepared(stale, endedOf({}))).toMatchObject({ kind: 'wait' });
    const after = prepared(stale, endedOf({}), 'upgrade', next.until);
    expect(after).toMatchObject({ kind: 'done', record: { state: 'running', unprepared: 2, next: { dropped: true } } });
    expect(after.record.events.at(-1)).toMatchObject({ type: 'unprepared', generation: 2 });
    expect(prepared(after.record, endedOf({}), 'upgrade', next.until)).toMatchObject({
      kind: 'done',
      record: { sequence: after.record.sequence },
    });
  });

  it('until a run that is not wanted any more has ended, which gets no permit meanwhile', () => {
    const dropped = prepared(record, held(), 'suspend');
    expect(dropped).toMatchObject({ kind: 'wait', next: { dropped: true }, record: { next: { dropped: true } } });
    expect(prepared(dropped.record, ready)).toMatchObject({ kind: 'wait', next: { dropped: true } });
    const other = { ...record, next: { ...next, generation: 1 } };
    expect(prepared(other, ready)).toMatchObject({ kind: 'wait', next: { dropped: true } });
    expect(prepared(dropped.record, endedOf({})).record).toHaveProperty('next.dropped', true);
  });
});

describe('a job can begin no more', () => {
  const left: Partial<Attempt> = { startRevokedAt: NOW - 1, snapshot: savepoint };
  const stopped = (attempt: Partial<Attempt> = left, outcome: Partial<Outcome> = {}): RunRecord =>
    updateAttempt(
      {
        ...runIn('ended', 1_000),
        outcome: {
          ...{ state: 'succeeded', reason: 'StoppedWithSavepoint', message: '', at: NOW, evidence: [] },
          ...{ flinkState: 'FINISHED', ...outcome },
        },
      } as never,
      attempt,
    );

  it('once Flink told of its end, what it left is known and no JobManager may start', () => {
    expect(isFenced(stopped())).toBe(true);
    expect(isFenced(stopped(left, { state: 'canceled', reason: 'JobCanceled', flinkState: 'CANCELED' }))).toBe(true);
  });

  it.each<readonly [string, RunRecord]>([
    ['it goes on', runIn('running', 0)],
    ['it was never launched', { ...stopped(), attempts: [] } as never],
    ['it ended otherwise', stopped(left, { state: 'failed', reason: 'JobFailed' })],
    ['it finished', stopped(left, { reason: 'JobFinished' })],
    ['Flink did not tell', stopped(left, { flinkState: undefined } as never)],
    ['nobody knows what it left', stopped({ startRevokedAt: NOW })],
    ['a JobManager may start', stopped({ snapshot: savepoint })],
    ['a JobManager began again', stopped({ ...left, beganAgain: true })],
  ])('not where %s', (_why, run) => {
    expect(isFenced(run)).toBe(false);
  });

  it('not with high availability, nor while somebody may hand it over', () => {
    const run = stopped();
    const options = { 'high-availability.type': 'kubernetes' };
    expect(isFenced({ ...run, job: { ...run.job, options } } as never)).toBe(false);
    const submission = { by: 'permit', at: NOW, highAvailability: false };
    const handed = (change: object): RunRecord => ({
      ...stopped({ ...left, submission: { ...submission, ...change } }),
      prepared: {},
    });
    expect(isFenced(handed({}))).toBe(false);
    expect(isFenced(handed({ answeredAt: NOW }))).toBe(true);
  });
});

describe('the next run takes the place of the last one', () => {
  const record = upgrading({ next, state: 'upgrading' });
  const last = (state: 'ended' | 'closed'): RunRecord =>
    updateAttempt(
      {
        ...runIn('ended', 1_000),
        ...{ runId: OWN, state },
        outcome: { state: 'succeeded', reason: 'StoppedWithSavepoint', message: '', at: NOW, evidence: [] },
      } as never,
      { snapshot: savepoint },
    );

  it('when it is ready and wanted', () => {
    const wanted = wantedOf(record);
    expect(isReady(record, wanted, ready)).toBe(true);
    expect(isReady(record, wanted, held())).toBe(false);
    expect(isReady(record, wanted, undefined)).toBe(false);
    expect(isReady(record, wanted, { ...ready, outcome: endedOf({}).outcome } as never)).toBe(false);
    expect(isReady({ ...record, next: { ...next, dropped: true } }, wanted, ready)).toBe(false);
    expect(isReady({ ...record, next: { ...next, generation: 1 } }, wanted, ready)).toBe(false);
    expect(isReady(record, { ...wanted, wish: { state: 'suspended', nonces: {} } }, ready)).toBe(false);
    expect(isReady(upgrading(), wanted, ready)).toBe(false);
  });

  it('with the state that the last one left, which is not gone yet', () => {
    const handed = handOver(record, last('ended'), wantedOf(record), NOW);
    expect(handed).toMatchObject({
      run: { id: NEXT, generation: 2, startFrom: { path: savepoint.path }, prepared: true },
      leaving: { id: OWN },
      last: { id: OWN, generation: 1 },
      runs: 1,
    });
    expect(handed).not.toHaveProperty('next');
    expect(handOver(record, last('closed'), wantedOf(record), NOW)).not.toHaveProperty('leaving');
  });

  it('not where the state that it would need is not known, or nothing is to begin', () => {
    const unknown = { ...last('closed'), stateUnknown: { message: 'x' }, startFrom: savepoint };
    expect(handOver(record, unknown, wantedOf(record), NOW)).toBeUndefined();
    expect(handOver(upgrading(), last('closed'), wantedOf(record), NOW)).toBeUndefined();
    const settled = { generation: 2, reason: 'InvalidSpec', message: '', choices: [], at: 0 } as const;
    expect(handOver({ ...record, settled }, last('closed'), wantedOf(record), NOW)).toBeUndefined();
  });

  it('and gives back what it was to start from where it ended without its permit', () => {
    const run = { ...own, generation: 2, startFrom: savepoint };
    expect(takeBack(upgrading({ run }))).toMatchObject({ newest: savepoint, unprepared: 2 });
    expect(takeBack(upgrading({ run }))).not.toHaveProperty('run');
    const empty = omit(run, 'startFrom');
    expect(takeBack(upgrading({ run: empty }))).not.toHaveProperty('newest');
  });
});
