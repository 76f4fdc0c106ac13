import { describe, expect, it } from 'vitest';
import { deploymentIdFor, jobIdFor, runIdFor } from '../../lib/core/ids.ts';
import { applyRequest } from '../../lib/deployment/generations.ts';
import { isHeldByRun, keepSnapshot, ownDirectory, pin, retire, retireAll } from '../../lib/deployment/history.ts';
import { removals } from '../../lib/deployment/removals.ts';
import type { DeploymentRecord } from '../../lib/deployment/record.ts';
import type { Snapshot } from '../../lib/state/snapshot.ts';
import { jobIn } from './job.ts';

const HOUR = 3_600_000;
const RUN = runIdFor('a run');
const ID = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: 'orders' });

/** Its history keeps two snapshots, for an hour. */
function fresh(): DeploymentRecord {
  const applied = applyRequest(
    undefined,
    {
      ...{ version: 1, deployment: ID, requestId: RUN, fingerprint: 'f', job: jobIn('a'), by: 'b', at: 0 },
      wish: { state: 'running', nonces: {} },
      source: { kind: 'message', queueArn: 'q', messageId: 'm' },
    },
    0,
    false,
  );
  if (applied.kind !== 'changed') throw new Error('not changed');
  return applied.record;
}

const savepoint = (n: number): Snapshot => ({
  kind: 'savepoint',
  path: `s3://state/savepoints/${ID}/${RUN}-r${n}/savepoint-1`,
  run: RUN,
});

function withSavepoints(count: number, at = 0): DeploymentRecord {
  let record = fresh();
  for (let n = 1; n <= count; n += 1) record = keepSnapshot(record, savepoint(n), 'periodic', at + n);
  return record;
}

const deleting = (record: DeploymentRecord) =>
  record.snapshots.filter(({ deletingAt }) => deletingAt !== undefined).map(({ ordinal }) => ordinal);

describe('a history of snapshots', () => {
  it('has each once, and tells of it once', () => {
    const record = keepSnapshot(withSavepoints(2), savepoint(2), 'nonce', 9);
    expect(record.snapshots).toHaveLength(2);
    expect(record.events.filter(({ type }) => type === 'snapshot')).toHaveLength(2);
  });

  it('keeps as many as the plan says, and none that is too old, but always the newest', () => {
    expect(deleting(retire(withSavepoints(5), 10))).toEqual([1, 2, 3]);
    expect(deleting(retire(withSavepoints(2), 2 * HOUR))).toEqual([1]);
    expect(deleting(retire(withSavepoints(1), 100 * HOUR))).toEqual([]);
  });

  it('keeps what is pinned', () => {
    const pinned = pin(withSavepoints(5), 2, true);
    expect(deleting(retire(pinned, 10))).toEqual([1, 3]);
    expect(deleting(retire(pin(pinned, 2, false), 10))).toEqual([1, 2, 3]);
  });

  it('keeps what the run restored from until it has a checkpoint of its own', () => {
    const run = { id: RUN, generation: 1, why: 'upgrade', at: 0, startFrom: savepoint(1) } as const;
    const record = { ...withSavepoints(5), run };
    expect(deleting(retire(record, 10))).toEqual([2, 3]);
    expect(isHeldByRun(record, 10)).toBe(true);
    const later = { ...record, run: { ...run, checkpoints: { at: 9, own: true } } };
    expect(deleting(retire(later, 10))).toEqual([1, 2, 3]);
    expect(isHeldByRun(later, 10)).toBe(false);
  });

  it('keeps what the next run will start from', () => {
    expect(deleting(retire({ ...withSavepoints(5), newest: savepoint(2) }, 10))).toEqual([1, 3]);
  });

  it('goes as a whole with a deployment that is purged', () => {
    expect(deleting(retireAll(withSavepoints(3), 10))).toEqual([1, 2, 3]);
  });
});

describe('a directory of its own', () => {
  const job = jobIdFor(RUN, 1);
  it.each<readonly [Snapshot, string | undefined]>([
    [savepoint(1), `s3://state/savepoints/${ID}/${RUN}-r1`],
    [{ kind: 'checkpoint', path: `s3://state/c/${job}/chk-7`, run: RUN }, `s3://state/c/${job}`],
    [{ kind: 'savepoint', path: `s3://state/savepoints/${ID}/${RUN}-r1/savepoint-1` }, undefined],
    [{ kind: 'savepoint', path: 's3://state/savepoints/savepoint-1', run: RUN }, undefined],
    [{ kind: 'savepoint', path: `s3://state/savepoints/other/${RUN}-1/savepoint-1`, run: RUN }, undefined],
    [{ kind: 'checkpoint', path: 's3://state/c/jobs/chk-7', run: RUN }, undefined],
    [{ kind: 'checkpoint', path: `s3://state/c/${job}/shared`, run: RUN }, undefined],
  ])('of %o is %s', (snapshot, directory) => {
    expect(ownDirectory({ id: ID }, snapshot)).toBe(directory);
  });
});

describe('what came to nothing', () => {
  const left = (directory: string): DeploymentRecord => ({ ...fresh(), leftovers: [{ directory, run: RUN }] });
  const at = `s3://state/savepoints/${ID}/${RUN}-r1`;

  it('is removed', () => {
    expect(removals(left(at))).toEqual([{ kind: 'remove-leftover', directory: at }]);
  });

  it.each<readonly [string, Partial<DeploymentRecord>]>([
    ['is the newest state after all', { newest: savepoint(1) }],
    ['is what a rollback needs', { stable: { generation: 1, left: savepoint(1), at: 0, job: 'j' } as never }],
    ['is in the history', { snapshots: keepSnapshot(fresh(), savepoint(1), 'periodic', 0).snapshots }],
  ])('stays where it %s', (_, change) => {
    expect(removals({ ...left(at), ...change })).toEqual([]);
  });

  it('goes where another one is', () => {
    expect(removals({ ...left(at), newest: savepoint(10) })).toHaveLength(1);
  });
});
