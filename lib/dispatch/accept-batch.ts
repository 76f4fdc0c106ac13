import { isDispatchError, type DispatchError } from '../core/errors.ts';
import { defined } from '../core/defined.ts';
import type { OrderRequest } from '../trigger/order.ts';
import type { RunRequest } from '../trigger/request.ts';
import type { RecordResult } from '../trigger/record-result.ts';
import { accept, type AcceptDeps } from './accept.ts';

/** Lambda's partial batch response: what it names is delivered again. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** The record as it came, for the dead letter. */
export type Original = (messageId: string) => { readonly body: string; readonly source: string };

export interface BatchDeps extends AcceptDeps {
  /** Carries out what is wanted of a run that is there. @throws DispatchError of class `user` when it cannot be done */
  readonly order: (order: OrderRequest) => Promise<void>;
}

/**
 * Accepts every request of a batch, each on its own. A record that no try can make sense of goes to the dead letters with
 * its reason, and counts as done; one that met trouble comes again. Of a FIFO queue all later ones of its message group come
 * again with it, untouched: accepted before it, they would change the order.
 */
export async function acceptBatch(
  records: readonly RecordResult[],
  original: Original,
  deps: BatchDeps,
): Promise<BatchResponse> {
  const failed = await Promise.all(inOrder(records).map((group) => acceptInOrder(group, original, deps)));
  const ids = new Set(failed.flat());
  const again = records.filter(({ messageId }) => ids.has(messageId));
  return { batchItemFailures: again.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/** One list for each message group of a FIFO queue, and one for each other record. */
function inOrder(records: readonly RecordResult[]): readonly (readonly RecordResult[])[] {
  const groups = new Map<string, RecordResult[]>();
  const others: RecordResult[][] = [];
  for (const record of records) {
    const { group } = record;
    if (group === undefined) others.push([record]);
    else groups.set(group, [...(groups.get(group) ?? []), record]);
  }
  return [...groups.values(), ...others];
}

/** @returns the message ids of the first record that failed and of all after it */
async function acceptInOrder(
  records: readonly RecordResult[],
  original: Original,
  deps: BatchDeps,
): Promise<readonly string[]> {
  for (const [i, record] of records.entries()) {
    const failed = await acceptRecord(record, original, deps);
    if (failed !== undefined) return records.slice(i).map(({ messageId }) => messageId);
  }
  return [];
}

async function acceptRecord(record: RecordResult, original: Original, deps: BatchDeps): Promise<string | undefined> {
  try {
    for (const request of record.requests) await accept(withBody(request, record.messageId, original), deps);
    for (const order of record.orders ?? []) await carryOut(order, record, original, deps);
    if (record.error !== undefined) await sendToDeadLetters(record, record.error, original, deps);
    return undefined;
  } catch (error) {
    const reason = isDispatchError(error) ? error.reason : 'Internal';
    deps.log.warn('a record comes again', { messageId: record.messageId, reason, error });
    return record.messageId;
  }
}

function withBody(request: RunRequest, messageId: string, original: Original): RunRequest {
  return request.source.kind === 'message' ? { body: original(messageId).body, ...request } : request;
}

/** One to a run that is not there, or for what it cannot do, is a dead letter. */
async function carryOut(order: OrderRequest, record: RecordResult, original: Original, deps: BatchDeps): Promise<void> {
  try {
    await deps.order(order);
  } catch (error) {
    if (!isDispatchError(error) || error.class !== 'user') throw error;
    await sendToDeadLetters(record, error, original, deps);
  }
}

async function sendToDeadLetters(
  { messageId }: RecordResult,
  error: DispatchError,
  original: Original,
  deps: AcceptDeps,
): Promise<void> {
  const { reason, message, field } = error;
  await deps.deadLetters.put({ ...original(messageId), reason, message, ...defined({ field }) });
  deps.log.warn('a dead letter', { messageId, reason, error });
}
