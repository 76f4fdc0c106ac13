import { describeError, isDispatchError } from '../core/errors.ts';
import type { RecordResult } from '../trigger/record-result.ts';
import { accept, type AcceptDeps } from './accept.ts';

/** Lambda's partial batch response: what it names is delivered again. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** The record as it came, for the dead letter. */
export type Original = (messageId: string) => { readonly body: string; readonly source: string };

/**
 * Accepts every request of a batch, each on its own. A record that no try can make sense of goes to the dead letters with
 * its reason, and counts as done; one that met trouble comes again.
 */
export async function acceptBatch(
  records: readonly RecordResult[],
  original: Original,
  deps: AcceptDeps,
): Promise<BatchResponse> {
  const failed = await Promise.all(records.map((record) => acceptRecord(record, original, deps)));
  return { batchItemFailures: failed.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) };
}

async function acceptRecord(record: RecordResult, original: Original, deps: AcceptDeps): Promise<string | undefined> {
  try {
    for (const request of record.requests) await accept(request, deps);
    if (record.error !== undefined) await bury(record, original, deps);
    return undefined;
  } catch (error) {
    const reason = isDispatchError(error) ? error.reason : 'Internal';
    deps.log.warn('a record comes again', { messageId: record.messageId, reason, error: describeError(error) });
    return record.messageId;
  }
}

async function bury({ messageId, error }: RecordResult, original: Original, deps: AcceptDeps): Promise<void> {
  if (error === undefined) return;
  const { reason, message, field } = error;
  await deps.deadLetters.put({ ...original(messageId), reason, message, ...(field === undefined ? {} : { field }) });
  deps.log.warn('a dead letter', { messageId, reason, error: message });
}
