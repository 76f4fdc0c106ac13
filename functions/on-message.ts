import { acceptBatch, type BatchResponse } from '../lib/dispatch/accept-batch.ts';
import { parseMessageEvent } from '../lib/trigger/message.ts';
import { originalIn } from './sqs.ts';
import { lambda } from './telemetry.ts';
import { batchDepsOf } from './accept-wiring.ts';
import { onceWired } from './base-wiring.ts';
import { taskCallbacks } from './task-callbacks.ts';

const wiring = onceWired((base) => batchDepsOf(base, taskCallbacks()));

/** Job messages on SQS: accepts a run for each. */
export const handler = lambda(async (event: unknown): Promise<BatchResponse> => {
  const accept = await wiring();
  return acceptBatch(parseMessageEvent(event, accept.clock.now()), originalIn(event), accept);
});
