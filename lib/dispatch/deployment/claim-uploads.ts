import { DispatchError } from '../../core/errors.ts';
import type { DeploymentRecord, DeploymentState } from '../../deployment/record.ts';
import type { RunRequest } from '../../trigger/request.ts';
import type { DispatchDeps } from '../deps.ts';
import { deploymentOfJob, type StreamJob } from './accept-deployment.ts';

/** Nothing of them runs, and nothing begins before a person asks for it. */
const AT_REST: readonly DeploymentState[] = ['suspended', 'finished', 'deleted'];

/**
 * The uploads of one key are versions of one stream. Where its rule or its spec has been changed so that the next upload
 * would be another deployment, the one before it would go on beside it, and each record be counted twice.
 * @throws DispatchError `InvalidSpec`, naming the field that makes it another one
 */
export async function claimUploads(
  job: StreamJob,
  { source, tenant }: RunRequest,
  deps: Pick<DispatchDeps, 'deployments'>,
): Promise<void> {
  if (source.kind !== 'jar-upload') return;
  const { bucket, key } = source;
  const id = deploymentOfJob(job, tenant);
  let over: string | undefined;
  for (;;) {
    const owner = await deps.deployments.claimUploads({ bucket, key }, id, over);
    if (owner.value === id) return;
    const other = (await deps.deployments.read(owner.value))?.value;
    if (other !== undefined && !AT_REST.includes(other.state)) throw isElsewhere(other, job, `s3://${bucket}/${key}`);
    over = owner.version;
  }
}

function isElsewhere({ id, state, ...other }: DeploymentRecord, job: StreamJob, upload: string): DispatchError {
  const field = (['target', 'namespace', 'name'] as const).find((key) => other[key] !== job[key]) ?? 'name';
  const message =
    `${upload} is deployment ${other.name} in namespace ${other.namespace} of target ${other.target}, which is ${state}: ` +
    `with ${field} ${job[field]} it would run a second time. First flink-dispatch deployments suspend ${id}, or delete`;
  return new DispatchError('InvalidSpec', message, { field });
}
