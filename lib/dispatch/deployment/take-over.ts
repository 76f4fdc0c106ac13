import { DispatchError } from '../../core/errors.ts';
import { defined } from '../../core/defined.ts';
import { adopt } from '../../deployment/adopt.ts';
import type { DeploymentRequest } from '../../deployment/record.ts';
import { statePlanOf } from '../../job/state-plan.ts';
import type { DispatchDeps } from '../deps.ts';
import { deploymentOfJob, whoAsked, RACES, type StreamRequest, type TakenRun } from './accept-deployment.ts';

type Deps = Pick<DispatchDeps, 'deployments' | 'clock' | 'log'>;

/**
 * Makes a deployment whose run is the one that goes on, before the request that takes its place is a generation of it. What
 * is to become of that run is the deployment's to do, so that a crash after this leaves nothing undone.
 */
export async function takeOver({ run, guessed }: TakenRun, stream: StreamRequest, deps: Deps): Promise<void> {
  const { deployments, clock, log } = deps;
  const request = requestOf(run, guessed, stream);
  const { deployment: id } = request;
  await deployments.keepRequest(request);
  await deployments.mark(id);
  for (let races = 0; races < RACES; races += 1) {
    const stored = await deployments.read(id);
    const isOver = stored?.value.state === 'finished' || stored?.value.state === 'deleted';
    if (stored !== undefined && !isOver) return;
    const now = clock.now();
    const record = adopt(stored?.value, { request, run, guessed }, now);
    if (record === undefined) return;
    const made = { ...record, updatedAt: now };
    const written = stored === undefined ? deployments.create(made) : deployments.replace(made, stored.version);
    if ((await written) === undefined) continue;
    log.info('a deployment has taken a run over', { deployment: id, runId: run.runId, name: run.name });
    return;
  }
  throw new DispatchError('StorageUnavailable', `deployment ${id} was changed ${RACES} times meanwhile`);
}

/** What asked for the run, as if its spec had said that it is a stream. The numbers of the next version ask for nothing. */
function requestOf(
  { runId, job, source, fingerprint, createdAt }: TakenRun['run'],
  guessed: boolean,
  { request: { tenant }, job: next, wish }: StreamRequest,
): DeploymentRequest {
  const { upgradeMode } = next.state;
  const says = upgradeMode === 'stateless' ? { upgradeMode } : {};
  const state = statePlanOf({ job: says }, job, 'guess') ?? next.state;
  const kind = guessed ? job.kind : 'streaming';
  return {
    version: 1,
    deployment: deploymentOfJob(job, tenant),
    requestId: runId,
    ...defined({ tenant }),
    fingerprint,
    job: { ...job, kind, state, afterEnd: { ...job.afterEnd, keepCluster: 'never' } },
    wish: { state: 'running', nonces: wish.nonces },
    source,
    by: whoAsked(source),
    at: createdAt,
  };
}
