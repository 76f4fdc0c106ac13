import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { accepting, applyRequest, rejecting } from '../../lib/deployment/generations.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../lib/deployment/record.ts';
import { keepSnapshot, retire } from '../../lib/deployment/history.ts';
import { jobIn, recordOf } from './job.ts';
import { request } from './request.ts';

const WHY = { at: 5, reason: 'NotStable', message: 'it was restarted' } as const;
const running = (restart?: number, state: 'running' | 'suspended' | 'deleted' = 'running') =>
  ({ wish: { state, nonces: restart === undefined ? {} : { restart } } }) as const;

/** Generation 2 was rolled back, and generation 1 is wanted again, as 3. */
function rolledBack(): DeploymentRecord {
  const record = recordOf([request('a', 1), request('b', 2), request('a again', 3, { job: jobIn('a') })]);
  return rejecting(record, 2, WHY);
}

function sent(record: DeploymentRecord, change: Partial<DeploymentRequest>) {
  const applied = applyRequest(record, request('later', 9, { job: jobIn('b'), ...change }), 9, false);
  if (applied.kind !== 'changed') throw new Error(applied.kind);
  const [wanted, told] = [applied.record.generations.at(-1), applied.record.events.map(({ type }) => type)];
  return { wanted, told, record: applied.record };
}

describe('a program that was rolled back', () => {
  it('is not tried again: what is wanted has the job that the deployment has', () => {
    const { wanted, told, record } = sent(rolledBack(), { wish: { state: 'suspended', nonces: {} } });
    const [first, second, third] = record.generations;
    expect(wanted).toMatchObject({ number: 4, job: first?.job, jobIn: third?.requestId, wish: { state: 'suspended' } });
    expect(second?.rejected).toEqual(WHY);
    expect(told).toContain('rejected');
    const again = sent(record, { requestId: runIdFor('once more') });
    expect(again.wanted).toMatchObject({ number: 5, job: first?.job, jobIn: third?.requestId });
  });

  it.each<readonly [string, Partial<DeploymentRequest>]>([
    ['somebody asks for it', running(1)],
    ['it is a person’s order', { sameJob: 'the job of generation 2' }],
    ['it is another program', { job: jobIn('c') }],
  ])('is taken where %s', (_why, change) => {
    const { wanted, told, record } = sent(rolledBack(), change);
    expect(told).not.toContain('rejected');
    expect(wanted?.job).not.toBe(record.generations[0]?.job);
    expect(record.wanted).toBe(4);
  });

  it('is taken by a deployment that was deleted, and by one that has found it to be stable', () => {
    const deleted = sent(rolledBack(), {
      ...running(undefined, 'deleted'),
      job: jobIn('a'),
      requestId: runIdFor('d'),
    }).record;
    expect(sent(deleted, {}).told).not.toContain('rejected');
    const accepted = accepting(rolledBack(), 2);
    expect(accepted.generations.filter(({ rejected }) => rejected !== undefined)).toEqual([]);
    expect(accepting(rolledBack(), 1).generations[1]?.rejected).toEqual(WHY);
    expect(sent(accepted, {}).told).not.toContain('rejected');
  });

  it('is the same whoever is told and whatever its jar is called, and another one with other bytes', () => {
    const pinned = (uri: string, sha256: string) =>
      ({ ...jobIn('b'), jar: { uri, pinned: { uri, sha256, size: 1 } } }) as unknown as DeploymentRequest['job'];
    const record = rejecting(
      recordOf([request('a', 1), request('b', 2, { job: pinned('s3://jars/b.jar', 'x') })]),
      2,
      WHY,
    );
    const renamed = { ...pinned('s3://jars/c.jar', 'x'), notify: ['arn:topic'] };
    expect(sent(record, { job: renamed }).told).toContain('rejected');
    expect(sent(record, { job: pinned('s3://jars/b.jar', 'y') }).told).not.toContain('rejected');
  });

  it('is marked by an order to go back, with every generation of its job', () => {
    const record = recordOf([request('a', 1), request('b', 2), request('b too', 3, { job: jobIn('b') })]);
    const { record: after, wanted } = sent(record, { job: jobIn('a'), rejects: 3, sameJob: 'a' });
    expect(after.generations.map(({ rejected }) => rejected?.message)).toEqual([
      ...[undefined, 'It was rolled back by somebody', 'It was rolled back by somebody', undefined],
    ]);
    expect(wanted).toMatchObject({ rollbackOf: 3, job: 'a' });
  });
});

describe('a deployment', () => {
  const upload = (sequencer: string, key: string) =>
    ({ source: { kind: 'jar-upload', bucket: 'jars', key, sequencer, eventTime: 0 } }) as const;

  it('knows its newest upload, whatever is sent beside it', () => {
    const record = recordOf([request('a', 1, upload('02', 'a.jar')), request('b', 2)]);
    expect(record.upload).toEqual({ bucket: 'jars', key: 'a.jar', sequencer: '02' });
    const late = applyRequest(
      record,
      request('c', 0, { ...upload('09', 'other.jar'), by: 's3://jars/other.jar' }),
      9,
      true,
    );
    expect(late).toMatchObject({ record: { wanted: 2, upload: { key: 'a.jar', sequencer: '02' } } });
    const order = applyRequest(record, request('d', 3, { ...upload('09', 'a.jar'), sameJob: 'j' }), 9, false);
    expect(order).toMatchObject({ record: { wanted: 3, upload: { sequencer: '02' } } });
  });

  it('is its tenant’s own', () => {
    expect(recordOf([request('a', 1, { tenant: 'payments' })]).tenant).toBe('payments');
    expect(recordOf([request('a', 1, { tenant: 'payments' })]).id).not.toBe(recordOf([request('a', 1)]).id);
  });

  it('keeps the generations that something refers to, however old', () => {
    const stable = { generation: 1, at: 0 };
    const last = { id: runIdFor('x'), generation: 2 };
    let record: DeploymentRecord = { ...recordOf([request('a', 1), request('b', 2)]), stable, last, reached: 3 };
    for (let n = 3; n < 60; n += 1) {
      const applied = applyRequest(record, request(`r${n}`, n), n, false);
      if (applied.kind === 'changed') record = applied.record;
    }
    expect(record.generations.map(({ number }) => number).slice(0, 4)).toEqual([1, 2, 3, 40]);
    expect(record.generations).toHaveLength(3 + 20);
  });

  it('tells who never came true, and not who runs or has run', () => {
    const told = (change: Partial<DeploymentRecord>) => sent({ ...recordOf([request('a', 1)]), ...change }, {});
    expect(told({}).record.events.at(-1)).toMatchObject({ type: 'superseded', generation: 1 });
    expect(told({}).record.generations[0]?.superseded).toBe(true);
    for (const change of [
      { reached: 1 },
      { run: { id: runIdFor('x'), generation: 1, why: 'create', at: 0 } },
    ] as const) {
      expect(told(change).told).not.toContain('superseded');
    }
  });

  it('keeps a pinned snapshot whose place another one shares', () => {
    const [id, run] = [recordOf([request('a', 1)]).id, runIdFor('x')];
    const path = (name: string): string => `s3://state/savepoints/${id}/${run}-r1/${name}`;
    let record = recordOf([request('a', 1)]);
    for (const name of ['one', 'two', 'three', 'four', 'five'])
      record = keepSnapshot(record, { kind: 'savepoint', path: path(name), run }, 'periodic', 2);
    const pinned = {
      ...record,
      snapshots: record.snapshots.map((one, n) => (n === 0 ? { ...one, pinned: true } : one)),
    };
    expect(retire(pinned, 10)).toBe(pinned);
  });
});
