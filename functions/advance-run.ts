import middy from '@middy/core';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { describeError, isDispatchError } from '../lib/core/errors.ts';
import type { BatchResponse } from '../lib/dispatch/accept-batch.ts';
import { advance } from '../lib/dispatch/advance.ts';
import type { DispatchDeps } from '../lib/dispatch/deps.ts';
import { parseRunMessage } from '../lib/run/run-queue.ts';
import { wiring } from './wiring.ts';

/** What a step may still need of the time when it begins, before Lambda ends the function. */
const RESERVE = 20_000;

/** Run messages on SQS: takes each run a step further. */
export const handler = middy(async (event: SQSEvent, context: Context): Promise<BatchResponse> => {
  const { dispatch } = await wiring();
  const deadline = dispatch.clock.now() + Math.max(0, context.getRemainingTimeInMillis() - RESERVE);
  const failed = await Promise.all(event.Records.map((record) => advanceRecord(record, dispatch, deadline)));
  return { batchItemFailures: failed.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) };
});

async function advanceRecord(
  { body, messageId, eventSourceARN }: SQSRecord,
  deps: DispatchDeps,
  deadline: number,
): Promise<string | undefined> {
  try {
    await advance(parseRunMessage(body), deps, deadline);
    return undefined;
  } catch (error) {
    deps.log.warn('a run message comes again', { messageId, error: describeError(error) });
    if (!isDispatchError(error) || error.reason !== 'MalformedRequest') return messageId;
    await deps.deadLetters.put({ body, source: eventSourceARN, reason: error.reason, message: error.message });
    return undefined;
  }
}
