import { DispatchError } from '../lib/core/errors.ts';
import { acceptBatch, type BatchResponse } from '../lib/dispatch/accept-batch.ts';
import { isSqsEvent } from '../lib/trigger/sqs-event.ts';
import { parseUploadEvent } from '../lib/trigger/s3-event.ts';
import { originalIn } from './sqs.ts';
import { lambda } from './telemetry.ts';
import { acceptWiring } from './accept-wiring.ts';

/** S3 "object created", direct, through SQS, or from EventBridge: accepts a run for each jar. */
export const handler = lambda(async (event: unknown): Promise<BatchResponse> => {
  const accept = await acceptWiring();
  const response = await acceptBatch(parseUploadEvent(event), originalIn(event), accept);
  // Only a queue takes a partial answer; any other source delivers again when the call fails.
  if (!isSqsEvent(event) && response.batchItemFailures.length > 0) {
    throw new DispatchError('StorageUnavailable', 'an upload could not be accepted');
  }
  return response;
});
