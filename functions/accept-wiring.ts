import type { AcceptDeps } from '../lib/dispatch/accept.ts';
import type { BatchDeps } from '../lib/dispatch/accept-batch.ts';
import { orderByMessage } from '../lib/operate/message-order.ts';
import { s3Objects } from '../lib/job/jar/s3-objects.ts';
import { s3Pins } from '../lib/job/jar/s3-pins.ts';
import { storedJobsIn } from '../lib/job/spec/stored-jobs.ts';
import { NO_TASKS, type TaskCallbacks } from '../lib/outcome/task-callbacks.ts';
import { createS3LiveRuns } from '../lib/run/store/s3-live-runs.ts';
import { onceWired, type Base } from './base-wiring.ts';

/** What the functions that accept runs are made of: nothing of Kubernetes, and of AWS only storage and queues. */
export const acceptWiring: () => Promise<BatchDeps> = onceWired((base) => batchDepsOf(base, NO_TASKS));

export function batchDepsOf(base: Base, callbacks: TaskCallbacks): BatchDeps {
  const deps = acceptDepsOf(base, callbacks);
  return { ...deps, order: (order) => orderByMessage(order, deps) };
}

export function acceptDepsOf({ config, deployment, s3, common }: Base, callbacks: TaskCallbacks): AcceptDeps {
  const objects = s3Objects(s3);
  const bucket = config.LEDGER_BUCKET;
  const { pin } = s3Pins({ s3, bucket, clock: common.clock });
  const live = createS3LiveRuns({ s3, bucket });
  const prepare = { objects, storedJobs: storedJobsIn(objects, bucket), deployment };
  return { ...common, callbacks, live, prepare, pin };
}
