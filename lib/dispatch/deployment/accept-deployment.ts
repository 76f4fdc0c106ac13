import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { deploymentIdFor, type DeploymentId, type RunId } from '../../core/ids.ts';
import { applyRequest, type Applied } from '../../deployment/generations.ts';
import type { DeploymentRequest } from '../../deployment/record.ts';
import type { ResolvedJob, StatePlan } from '../../job/job.ts';
import type { DeploymentWish } from '../../job/state-plan.ts';
import type { ActiveRun } from '../../run/record.ts';
import { callerText, type RunRequest, type RunSource } from '../../trigger/request.ts';
import type { DispatchDeps } from '../deps.ts';

/** How many others may change the record meanwhile. */
export const RACES = 25;

type Deps = Pick<DispatchDeps, 'deployments' | 'runQueue' | 'clock' | 'log'>;

export interface StreamRequest {
  readonly request: RunRequest;
  readonly requestId: RunId;
  readonly fingerprint: string;
  readonly job: StreamJob;
  readonly wish: DeploymentWish;
  readonly takes?: TakenRun | undefined;
}

/** The run that goes on, and becomes the first one of the deployment; `guessed`: that its job has no end. */
export interface TakenRun {
  readonly run: ActiveRun;
  readonly guessed: boolean;
}

export type StreamJob = ResolvedJob & { readonly state: StatePlan };

export type AcceptedStream =
  | { readonly kind: 'accepted' | 'superseded' | 'duplicate'; readonly id: DeploymentId; readonly generation?: number }
  /** The same identity, and another payload. */
  | { readonly kind: 'conflict'; readonly id: DeploymentId };

export function isStream(job: ResolvedJob): job is StreamJob {
  return job.state !== undefined;
}

export function deploymentOfJob(job: ResolvedJob, tenant: string | undefined): DeploymentId {
  const { target, namespace, name } = job;
  return deploymentIdFor({ tenant, target, namespace, name });
}

/**
 * Makes a request durable as a generation of its deployment: the request first, then the record, then a message. The
 * same again changes nothing, and repeats what a crash may have left out.
 */
export async function acceptStream(stream: StreamRequest, deps: Deps): Promise<AcceptedStream> {
  const { request, requestId, fingerprint, job, wish } = stream;
  const id = deploymentOfJob(job, request.tenant);
  const kept = await deps.deployments.keepRequest({
    version: 1,
    deployment: id,
    requestId,
    ...defined({ tenant: request.tenant }),
    fingerprint,
    job,
    wish,
    source: request.source,
    by: whoAsked(request.source),
    at: deps.clock.now(),
  });
  if (kept.request.fingerprint !== fingerprint) return { kind: 'conflict', id };
  const applied = await applyStored(kept.request, kept.kind === 'exists', deps);
  const generation = applied.generation?.number;
  if (applied.kind === 'known') return { kind: 'duplicate', id, ...defined({ generation }) };
  const kind = applied.generation.superseded === true ? 'superseded' : 'accepted';
  deps.log.info(`generation ${kind}`, { deployment: id, generation, name: job.name });
  return { kind, id, ...defined({ generation }) };
}

/** Makes a request that is stored a generation, and wakes its deployment. */
export async function applyStored(request: DeploymentRequest, seenBefore: boolean, deps: Deps): Promise<Applied> {
  const { deployment: id } = request;
  await deps.deployments.mark(id);
  for (let races = 0; races < RACES; races += 1) {
    const stored = await deps.deployments.read(id);
    const now = deps.clock.now();
    const applied = applyRequest(stored?.value, request, now, seenBefore);
    if (applied.kind === 'changed') {
      const record = { ...applied.record, updatedAt: now };
      const written =
        stored === undefined
          ? await deps.deployments.create(record)
          : await deps.deployments.replace(record, stored.version);
      if (written === undefined) continue;
    }
    await deps.runQueue.send({ version: 1, deployment: id }, 0);
    return applied;
  }
  throw new DispatchError('StorageUnavailable', `deployment ${id} was changed ${RACES} times meanwhile`);
}

export function whoAsked(source: RunSource): string {
  switch (source.kind) {
    case 'jar-upload':
      return `s3://${source.bucket}/${source.key}`;
    case 'message':
      return source.queueArn;
    case 'schedule':
      return `schedule ${source.schedule}`;
    case 'http':
      return callerText(source.caller);
  }
}
