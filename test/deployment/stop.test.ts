import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import {
  generationOf,
  type DeploymentRecord,
  type DeploymentRun,
  type GenerationWish,
} from '../../lib/deployment/record.ts';
import { begin } from '../../lib/deployment/start.ts';
import { stopCause, stopMode } from '../../lib/deployment/stop.ts';
import { omit } from '../../lib/core/omit.ts';
import type { StatePlan } from '../../lib/job/job.ts';
import type { Snapshot } from '../../lib/state/snapshot.ts';
import { jobIn, recordOf } from './job.ts';
import { request } from './request.ts';

const NOW = 1_000_000;
const MINUTE = 60_000;
const PLAN = jobIn('a').state;

/** Of one generation after another: what each has as its argument, its wish, and how it keeps state. */
type Version = readonly [text: string, wish?: Partial<GenerationWish>, plan?: Partial<StatePlan>];

function versions(...all: readonly Version[]): DeploymentRecord {
  return recordOf(
    all.map(([text, wish, plan], index) => {
      const job = { ...jobIn(text), state: { ...PLAN, ...plan } };
      return request(`request ${index}`, index, { job, wish: { state: 'running', nonces: {}, ...wish } });
    }),
  );
}

const run = (generation: number, change: Partial<DeploymentRun> = {}): DeploymentRun => ({
  ...{ id: runIdFor('a run'), generation, why: 'create', at: 0, runningAt: 0 },
  ...change,
});

function cause(record: DeploymentRecord, of = 1): string | undefined {
  const wanted = generationOf(record, record.wanted);
  if (wanted === undefined) throw new Error('nothing is wanted');
  return stopCause(record, run(of), wanted);
}

describe('a run has to end', () => {
  it.each<readonly [string, DeploymentRecord, string | undefined]>([
    ['not for what it is', versions(['a']), undefined],
    [
      'not for the same job, whoever is told and however state is kept',
      versions(['a'], ['a', {}, { upgradeMode: 'last-state' }]),
      undefined,
    ],
    ['for another job', versions(['a'], ['b']), 'upgrade'],
    ['to be suspended', versions(['a'], ['a', { state: 'suspended' }]), 'suspend'],
    ['to be deleted', versions(['a'], ['b', { state: 'deleted' }]), 'delete'],
    ['to be started anew', versions(['a'], ['a', { nonces: { restart: 1 } }]), 'restart'],
    ['once for a number', { ...versions(['a'], ['a', { nonces: { restart: 1 } }]), done: { restart: 1 } }, undefined],
    [
      'to start from another snapshot',
      versions(['a'], ['b', { initialSavepointPath: 's3://x', nonces: { savepointRedeploy: 1 } }]),
      'redeploy',
    ],
    ['not for a snapshot that nobody names', versions(['a'], ['a', { nonces: { savepointRedeploy: 1 } }]), undefined],
  ])('%s', (_what, record, why) => {
    expect(cause(record)).toBe(why);
  });

  it('not for what nothing can be done for, unless it is deleted', () => {
    const settle = (record: DeploymentRecord): DeploymentRecord => ({
      ...record,
      settled: { generation: 2, reason: 'InvalidSpec', message: 'm', choices: [], at: 0 },
    });
    expect(cause(settle(versions(['a'], ['b'])))).toBeUndefined();
    expect(cause(settle(versions(['a'], ['a', { state: 'suspended' }])))).toBeUndefined();
    expect(cause(settle(versions(['a'], ['b', { state: 'deleted' }])))).toBe('delete');
    expect(cause(settle(versions(['a'], ['b'], ['c'])))).toBe('upgrade');
  });
});

describe('how it ends', () => {
  const withoutCheckpoints = omit(PLAN, 'checkpointDirectory');
  const withoutSavepoints = omit(PLAN, 'savepointDirectory');
  const mode = (
    ran: Partial<StatePlan>,
    wants: Partial<StatePlan>,
    why: 'upgrade' | 'redeploy' | 'delete' = 'upgrade',
    of: Partial<DeploymentRun> = {},
  ) => {
    const record = versions(['a'], ['b', {}, wants]);
    const [first, second] = record.generations;
    if (first === undefined || second === undefined) throw new Error('no generation');
    const changed = { ...record, generations: [{ ...first, plan: ran as StatePlan }, second] };
    return stopMode(changed, { run: run(1, of), wanted: second, why, now: NOW });
  };
  const SAVEPOINT = { mode: 'savepoint', format: 'CANONICAL', until: NOW + MINUTE } as const;

  it.each<readonly [string, Parameters<typeof mode>, object]>([
    ['with a savepoint', [PLAN, {}], { ...SAVEPOINT, fallback: 'none' }],
    [
      'with a savepoint, or else its newest checkpoint',
      [PLAN, { fallback: 'last-state' }],
      { ...SAVEPOINT, fallback: 'last-state' },
    ],
    [
      'with a savepoint alone where it keeps no checkpoints',
      [withoutCheckpoints, { fallback: 'last-state' }],
      { ...SAVEPOINT, fallback: 'none' },
    ],
    [
      'with a savepoint where it keeps no checkpoints, whatever is wanted',
      [withoutCheckpoints, { upgradeMode: 'last-state' }],
      { ...SAVEPOINT, fallback: 'none' },
    ],
    ['with its newest checkpoint', [PLAN, { upgradeMode: 'last-state' }], { mode: 'last-state' }],
    ['without its state', [PLAN, { upgradeMode: 'stateless' }], { mode: 'cancel' }],
    ['without its state when it is deleted', [PLAN, {}, 'delete'], { mode: 'cancel' }],
    ['with its newest checkpoint where another snapshot is named', [PLAN, {}, 'redeploy'], { mode: 'last-state' }],
    [
      'without its state where another snapshot is named and it keeps none',
      [withoutCheckpoints, {}, 'redeploy'],
      { mode: 'cancel' },
    ],
    ['not, where it has no place for a savepoint', [withoutSavepoints, {}], { mode: 'impossible' }],
  ])('%s', (_what, how, expected) => {
    expect(mode(...how)).toMatchObject(expected);
  });

  it('with a savepoint where its newest checkpoint is too old', () => {
    const wants = { upgradeMode: 'last-state', maxCheckpointAge: 10 * MINUTE } as const;
    const of = (change: Partial<DeploymentRun>) =>
      mode(PLAN, wants, 'upgrade', { runningAt: NOW - 60 * MINUTE, ...change }).mode;
    const told = (newestAt?: number) => ({
      checkpoints: { at: NOW, own: true, ...(newestAt !== undefined && { newestAt }) },
    });
    expect(of(told(NOW - 10 * MINUTE))).toBe('last-state');
    expect(of(told(NOW - 10 * MINUTE - 1))).toBe('savepoint');
    // Its JobManager is asked when nobody has heard of it for a minute.
    expect(of({})).toBe('look');
    expect(of({ checkpoints: { at: NOW - MINUTE, own: true, newestAt: NOW } })).toBe('last-state');
    expect(of({ checkpoints: { at: NOW - MINUTE - 1, own: true, newestAt: NOW } })).toBe('look');
    // Without one of its own, what it started from counts, or when it began.
    const from = (at?: number): Snapshot => ({ kind: 'checkpoint', path: 's3://x', ...(at !== undefined && { at }) });
    expect(of({ ...told(), startFrom: from(NOW - MINUTE) })).toBe('last-state');
    expect(of({ ...told(), startFrom: from(NOW - 11 * MINUTE) })).toBe('savepoint');
    expect(of({ ...told(), startFrom: from() })).toBe('savepoint');
    expect(of({ ...told(), runningAt: NOW - 9 * MINUTE })).toBe('last-state');
    const never = omit(run(1), 'runningAt');
    const record = versions(['a'], ['b', {}, wants]);
    const wanted = generationOf(record, 2);
    if (wanted === undefined) throw new Error('no generation');
    expect(stopMode(record, { run: never, wanted, why: 'upgrade', now: NOW }).mode).toBe('last-state');
  });
});

describe('the next run', () => {
  const savepoint = { kind: 'savepoint', path: 's3://b/sp' } as const;
  const checkpoint = { kind: 'checkpoint', path: 's3://b/chk-1' } as const;
  const started = (record: DeploymentRecord, change: Partial<DeploymentRecord> = {}) => {
    const given = { ...record, ...change };
    const wanted = generationOf(given, given.wanted);
    if (wanted === undefined) throw new Error('nothing is wanted');
    return begin(given, wanted, NOW);
  };
  const later = { runs: 1, last: { id: runIdFor('x'), generation: 1 } } as const;
  const redeploy = { initialSavepointPath: 's3://named', nonces: { savepointRedeploy: 2 } } as const;

  it.each<readonly [string, DeploymentRecord, Partial<DeploymentRecord>, string | undefined, string]>([
    ['is the first, and has nothing to start from', versions(['a']), {}, undefined, 'create'],
    [
      'is the first, and starts from what is named',
      versions(['a', { initialSavepointPath: 's3://named' }]),
      {},
      's3://named',
      'create',
    ],
    ['starts from the newest', versions(['a'], ['b']), { ...later, newest: savepoint }, 's3://b/sp', 'upgrade'],
    [
      'does not start again from what was named for the first',
      versions(['a', { initialSavepointPath: 's3://named' }], ['b', { initialSavepointPath: 's3://named' }]),
      { ...later, newest: savepoint },
      's3://b/sp',
      'upgrade',
    ],
    [
      'starts from what is named where that is asked for',
      versions(['a'], ['a', redeploy]),
      { ...later, newest: savepoint },
      's3://named',
      'redeploy',
    ],
    [
      'starts without state where that is said',
      versions(['a'], ['b', {}, { upgradeMode: 'stateless' }]),
      { ...later, newest: savepoint, unknown: 'x' },
      undefined,
      'upgrade',
    ],
    ['starts without state where there never was any', versions(['a'], ['b']), later, undefined, 'upgrade'],
    [
      'of the same job starts from a checkpoint',
      versions(['a']),
      { ...later, newest: checkpoint },
      's3://b/chk-1',
      'restart',
    ],
    [
      'of another job starts from a checkpoint where that will do',
      versions(['a'], ['b', {}, { fallback: 'last-state' }]),
      { ...later, newest: checkpoint },
      's3://b/chk-1',
      'upgrade',
    ],
    [
      'of another job starts from a checkpoint where that is the mode',
      versions(['a'], ['b', {}, { upgradeMode: 'last-state' }]),
      { ...later, newest: checkpoint },
      's3://b/chk-1',
      'upgrade',
    ],
    [
      'goes on after a suspension',
      versions(['a'], ['b']),
      { ...later, state: 'suspended', newest: savepoint },
      's3://b/sp',
      'resume',
    ],
  ])('%s', (_what, record, change, path, why) => {
    const { run: next, runs, state } = started(record, change);
    expect([next?.startFrom?.path, next?.why]).toEqual([path, why]);
    expect(next).toMatchObject({ at: NOW, generation: record.wanted });
    expect(runs).toBe((change.runs ?? 0) + 1);
    expect(state).toBe('starting');
  });

  it.each<readonly [string, DeploymentRecord, Partial<DeploymentRecord>, string]>([
    [
      'the newest state is not known',
      versions(['a'], ['b']),
      { ...later, unknown: 'the bucket is gone', newest: savepoint },
      'StateUnknown',
    ],
    [
      'the job has finished',
      versions(['a'], ['b']),
      { ...later, finishedAt: 5, newest: savepoint },
      'DeploymentFinished',
    ],
    [
      'another job would start from a checkpoint in place of a savepoint',
      versions(['a'], ['b']),
      { ...later, newest: checkpoint },
      'SavepointFailed',
    ],
  ])('has to be decided by a person where %s', (_what, record, change, reason) => {
    const blocked = started(record, change);
    expect(blocked).toMatchObject({ state: 'blocked', settled: { generation: 2, reason, at: NOW } });
    expect(blocked.run).toBeUndefined();
    expect(blocked.settled?.choices.length).toBeGreaterThan(1);
    expect(blocked.events.at(-1)).toMatchObject({ type: 'blocked', reason });
  });

  it('takes what was asked for with it, and has a name that no other has', () => {
    const record = versions(['a'], ['a', { ...redeploy, nonces: { savepointRedeploy: 2, restart: 7 } }]);
    const settled = { generation: 1, reason: 'InvalidSpec', message: 'm', choices: [], at: 0 } as const;
    const first = started(record, {
      ...later,
      settled,
      newest: savepoint,
      unknown: 'x',
      finishedAt: 1,
      state: 'upgrading',
    });
    expect(first).toMatchObject({ state: 'upgrading', done: { savepointRedeploy: 2, restart: 7 } });
    for (const field of ['settled', 'newest', 'unknown', 'finishedAt']) expect(first).not.toHaveProperty(field);
    const second = started({ ...omit(first, 'run'), last: later.last }, { newest: savepoint });
    expect(second.run?.id).not.toBe(first.run?.id);
    expect(second.run?.startFrom?.path).toBe('s3://b/sp');
  });

  it('is noted with the snapshot that it starts from', () => {
    const kept = { ordinal: 1, snapshot: savepoint, why: 'nonce', at: 0, generation: 1 } as const;
    const other = { ...kept, ordinal: 2, snapshot: checkpoint };
    const { snapshots, run: next } = started(versions(['a'], ['b']), {
      ...later,
      newest: savepoint,
      snapshots: [kept, other],
    });
    expect(snapshots).toEqual([{ ...kept, restoredBy: next?.id }, other]);
  });
});
