import type { Instant } from '../core/clock.ts';
import { isDispatchError } from '../core/errors.ts';
import { isOfLaterVersion, isRunMessage, parseQueueMessage } from '../run/store/run-queue.ts';
import type { BatchResponse } from './accept-batch.ts';
import { advance } from './advance.ts';
import { advanceDeployment } from './deployment/advance-deployment.ts';
import type { DispatchDeps } from './deps.ts';

/** A message of the run queue, as it gave it. */
export interface RunMessageRecord {
  readonly messageId: string;
  readonly body: string;
  readonly eventSourceARN: string;
}

/** Takes each run, and each deployment, of a batch a step further, each on its own: what met trouble comes again. */
export async function advanceBatch(
  records: readonly RunMessageRecord[],
  deps: DispatchDeps,
  deadline: Instant,
): Promise<BatchResponse> {
  const failed = await Promise.all(records.map((record) => advanceRecord(record, deps, deadline)));
  return { batchItemFailures: failed.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) };
}

async function advanceRecord(
  { body, messageId, eventSourceARN }: RunMessageRecord,
  deps: DispatchDeps,
  deadline: Instant,
): Promise<string | undefined> {
  try {
    const message = parseQueueMessage(body);
    if (isRunMessage(message)) await advance(message, deps, deadline);
    else await advanceDeployment(message.deployment, deps, deadline);
    return undefined;
  } catch (error) {
    deps.log.warn('a run message comes again', { messageId, error });
    const malformed = isDispatchError(error) && error.reason === 'MalformedRequest' && !isOfLaterVersion(body);
    if (!malformed) return messageId;
    await deps.deadLetters.put({ body, source: eventSourceARN, reason: error.reason, message: error.message });
    return undefined;
  }
}
