import type { AcceptDeps } from '../lib/dispatch/accept.ts';
import { s3Objects } from '../lib/job/s3-objects.ts';
import { s3Pins } from '../lib/job/s3-pins.ts';
import { storedJobsIn } from '../lib/job/stored-jobs.ts';
import { onceWired } from './base-wiring.ts';

/** What the functions that accept runs are made of: nothing of Kubernetes, and of AWS only storage and queues. */
export const acceptWiring: () => Promise<AcceptDeps> = onceWired(({ config, deployment, s3, common }) => {
  const objects = s3Objects(s3);
  const bucket = config.LEDGER_BUCKET;
  const { pin } = s3Pins({ s3, bucket, clock: common.clock });
  return { ...common, prepare: { objects, storedJobs: storedJobsIn(objects, bucket), deployment }, pin };
});
