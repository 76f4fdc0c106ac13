import type { Context, SQSEvent } from 'aws-lambda';
import type { BatchResponse } from '../lib/dispatch/accept-batch.ts';
import { advanceBatch } from '../lib/dispatch/advance-batch.ts';
import { lambda } from './telemetry.ts';
import { wiring } from './wiring.ts';

/** What a step may still need of the time when it begins, before Lambda ends the function. */
const RESERVE = 20_000;

/** Run messages on SQS: takes each run a step further. */
export const handler = lambda(async (event: SQSEvent, context: Context): Promise<BatchResponse> => {
  const { dispatch } = await wiring();
  const deadline = dispatch.clock.now() + Math.max(0, context.getRemainingTimeInMillis() - RESERVE);
  return advanceBatch(event.Records, dispatch, deadline);
});
