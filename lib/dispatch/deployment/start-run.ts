import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import {
  generationOf,
  type DeploymentRecord,
  type DeploymentRequest,
  type DeploymentRun,
} from '../../deployment/record.ts';
import { scaleOf, withParallelism, type Scale } from '../../job/scale.ts';
import { DEPLOYMENT_KEY } from '../../job/spec/spec.ts';
import { addEvent } from '../../run/machine.ts';
import type { QueuedRun } from '../../run/record.ts';
import type { DispatchDeps } from '../deps.ts';

type NewRun = Pick<DeploymentRun, 'id' | 'generation' | 'startFrom' | 'prepared'>;

/** Makes the run that the record names, unless it is there, and sends its first message. */
export async function startRun(record: DeploymentRecord, run: NewRun, deps: DispatchDeps): Promise<void> {
  const request = await requestOf(record, run.generation, deps);
  const stored = await deps.ledger.create(runFor(record, run, request, deps.clock.now()));
  if (stored.value.step.number !== 1) return;
  await deps.runQueue.send({ version: 1, runId: run.id, step: 1 }, 0);
  deps.log.info('a run of a deployment', { deployment: record.id, generation: run.generation, runId: run.id });
}

/** @throws DispatchError `Internal` for a request that is gone */
export async function requestOf(
  record: DeploymentRecord,
  number: number,
  deps: Pick<DispatchDeps, 'deployments'>,
): Promise<DeploymentRequest> {
  const generation = generationOf(record, number);
  const request =
    generation && (await deps.deployments.readRequest(record.id, generation.jobIn ?? generation.requestId));
  if (request !== undefined) return inScale(request, generation?.scale);
  throw new DispatchError('Internal', `the request of generation ${number} of deployment ${record.id} is gone`);
}

/** Of a job that follows its load the generation has the parallelism, and the request what it began with. */
function inScale(request: DeploymentRequest, scale: Scale | undefined): DeploymentRequest {
  const { job } = request;
  if (scale === undefined || scaleOf(job.options).parallelism === scale.parallelism) return request;
  return { ...request, job: { ...job, options: withParallelism(job.options, scale.parallelism) } };
}

/** The lock is the deployment's own, so that no run of it begins before the last one is proven gone. */
function runFor(record: DeploymentRecord, run: NewRun, request: DeploymentRequest, now: Instant): QueuedRun {
  const { job, source, fingerprint } = request;
  const queued: QueuedRun = {
    version: 1,
    runId: run.id,
    ...defined({ tenant: record.tenant }),
    source,
    fingerprint,
    name: job.name,
    createdAt: now,
    updatedAt: now,
    attempts: [],
    events: [],
    step: { number: 1, dueAt: now },
    deployment: { id: record.id, generation: run.generation },
    ...defined({ startFrom: run.startFrom, prepared: run.prepared && {} }),
    state: 'accepted',
    job: { ...job, concurrency: { key: DEPLOYMENT_KEY + record.id, policy: 'queue' } },
  };
  return addEvent(queued, 'accepted', now);
}
