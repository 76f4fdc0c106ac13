import { beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import { runIdFor } from '../../../lib/core/ids.ts';
import { acceptBatch, type BatchDeps } from '../../../lib/dispatch/accept-batch.ts';
import type { OrderRequest } from '../../../lib/trigger/order.ts';
import type { RecordResult } from '../../../lib/trigger/record-result.ts';
import { jobMessage, QUEUE_ARN } from '../world/simulated.ts';
import { Asking } from './asking.ts';

const source = { kind: 'message', queueArn: QUEUE_ARN, messageId: 'm' } as const;
const order: OrderRequest = { kind: 'cancel', runId: runIdFor('a'), source };
const refused = () => jobMessage({ job: { jarURI: 'local:///opt/job.jar', nothing: 1 } });
const UNREADABLE = new DispatchError('MalformedRequest', 'no JSON', { field: 'body' });
/** The ledger gives no answer at the record of this message. */
const LOST = 'lost';

let asking: Asking;
let ordered: OrderRequest[];
let answer: () => Promise<void>;

beforeEach(() => {
  asking = new Asking();
  ordered = [];
  answer = () => Promise.resolve();
});

async function take(...records: readonly RecordResult[]): Promise<readonly string[]> {
  const { ledger, ...deps } = asking.deps;
  const lost = records.filter(({ messageId }) => messageId.startsWith(LOST)).flatMap(({ requests }) => requests);
  const lostIds = lost.map(({ identity }) => runIdFor(identity));
  const batch: BatchDeps = {
    ...deps,
    ledger: {
      create: (record) => ledger.create(record),
      replace: (...args) => ledger.replace(...args),
      read: (id) =>
        lostIds.includes(id) ? Promise.reject(new DispatchError('StorageUnavailable', 'lost')) : ledger.read(id),
    },
    order: (one) => {
      ordered.push(one);
      return answer();
    },
  };
  const original = (messageId: string) => ({ body: `body of ${messageId}`, source: 'the queue' });
  const { batchItemFailures } = await acceptBatch(records, original, batch);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}
const letters = () => asking.deadLetters.letters;

describe('a record of a batch', () => {
  it('is a run for each of its requests, and an order for each of its orders', async () => {
    const requests = [refused(), refused()];
    expect(await take({ messageId: 'a', requests, orders: [order, order] }, { messageId: 'b', requests: [] })).toEqual(
      [],
    );
    expect([asking.ledger.writes.length, ordered]).toEqual([2, [order, order]]);
    expect(asking.logged.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('has its text in the dead letter of a request, unless that has one of its own', async () => {
    const tick = { kind: 'schedule', schedule: 'nightly', scheduledTime: 0 } as const;
    const requests = [refused(), { ...refused(), body: 'a part' }, { ...refused(), source: tick }];
    await take({ messageId: 'a', requests });
    expect(letters().map(({ body }) => body)).toEqual(['body of a', 'a part']);
  });

  it('that cannot be read is a dead letter, once its good requests are accepted', async () => {
    const record = { messageId: 'a', requests: [{ ...jobMessage({}), source: { ...source } }], error: UNREADABLE };
    expect(await take(record)).toEqual([]);
    expect(asking.ledger.writes).toHaveLength(1);
    const letter = { body: 'body of a', source: 'the queue', reason: 'MalformedRequest', message: 'no JSON' };
    expect(letters()).toEqual([{ ...letter, field: 'body' }]);
    const { reason, message } = letter;
    expect(asking.logged.at(-1)).toBe(
      `warn a dead letter ${JSON.stringify({ messageId: 'a', reason, error: message })}`,
    );
  });

  it('comes again where its dead letter cannot be written', async () => {
    asking.deadLetters.faults.plan('put', 'before');
    expect(await take({ messageId: 'a', requests: [], error: UNREADABLE })).toEqual(['a']);
  });

  it('comes again where something fails, and holds no other up', async () => {
    const records = ['a', LOST, 'c'].map((messageId) => ({ messageId, requests: [refused()] }));
    expect(await take(...records)).toEqual([LOST]);
    expect(asking.ledger.writes).toHaveLength(2);
    const fields = { messageId: LOST, reason: 'StorageUnavailable', error: 'lost' };
    expect(asking.logged).toContain(`warn a record comes again ${JSON.stringify(fields)}`);
  });
});

describe('an order', () => {
  const record = { messageId: 'a', requests: [], orders: [order] };

  it('that can never be carried out is a dead letter', async () => {
    answer = () => Promise.reject(new DispatchError('RunNotFound', 'no such run'));
    expect(await take(record)).toEqual([]);
    expect(letters()).toEqual([
      { body: 'body of a', source: 'the queue', reason: 'RunNotFound', message: 'no such run' },
    ]);
  });

  it.each([
    ['StorageUnavailable', new DispatchError('StorageUnavailable', 'no answer')],
    ['Internal', new Error('a defect')],
  ])('that met %s comes again', async (reason, error) => {
    answer = () => Promise.reject(error);
    expect(await take(record)).toEqual(['a']);
    expect(letters()).toEqual([]);
    const fields = { messageId: 'a', reason, error: error.message };
    expect(asking.logged).toEqual([`warn a record comes again ${JSON.stringify(fields)}`]);
  });
});

describe('a group of a FIFO queue', () => {
  const inGroup = (group: string | undefined, ...ids: readonly string[]): readonly RecordResult[] =>
    ids.map((messageId) => ({ messageId, ...(group !== undefined && { group }), requests: [refused()] }));

  it('comes again from the first that failed, and the rest of it is not touched', async () => {
    const [a1, a2, a3] = inGroup('a', 'a1', `${LOST} a2`, 'a3');
    const [b1, b2] = inGroup('b', 'b1', 'b2');
    const [c] = inGroup(undefined, 'c');
    const records = [a1, b1, a2, c, b2, a3].filter((one) => one !== undefined);
    expect(await take(...records)).toEqual([`${LOST} a2`, 'a3']);
    expect(asking.ledger.writes).toHaveLength(4);
  });

  it('is taken in its order', async () => {
    const records = inGroup('a', 'a1', 'a2', 'a3');
    expect(await take(...records)).toEqual([]);
    const ids = records.flatMap(({ requests }) => requests.map(({ identity }) => runIdFor(identity)));
    expect(asking.ledger.writes.map(({ runId }) => runId)).toEqual(ids);
  });

  it('is told in the order of the batch', async () => {
    const [b] = inGroup('b', `${LOST} b`);
    const records = [...inGroup(undefined, `${LOST} x`), b, ...inGroup(undefined, `${LOST} y`)];
    expect(await take(...records.filter((one) => one !== undefined))).toEqual([`${LOST} x`, `${LOST} b`, `${LOST} y`]);
  });
});
