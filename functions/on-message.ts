import { acceptBatch, type BatchResponse } from '../lib/dispatch/accept-batch.ts';
import { parseMessageEvent } from '../lib/trigger/message.ts';
import { originalIn } from './sqs.ts';
import { lambda } from './telemetry.ts';
import { acceptWiring } from './accept-wiring.ts';

/** Job messages on SQS: accepts a run for each. */
export const handler = lambda(async (event: unknown): Promise<BatchResponse> => {
  const accept = await acceptWiring();
  return acceptBatch(parseMessageEvent(event, accept.clock.now()), originalIn(event), accept);
});
