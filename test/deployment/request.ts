import { deploymentIdFor, runIdFor } from '../../lib/core/ids.ts';
import type { DeploymentRequest } from '../../lib/deployment/record.ts';
import { jobIn } from './job.ts';

/** What somebody sends for the stream, as a message. */
export function request(name: string, at: number, change: Partial<DeploymentRequest> = {}): DeploymentRequest {
  const job = jobIn(name);
  const { target, namespace } = job;
  return {
    version: 1,
    deployment: deploymentIdFor({ tenant: undefined, target, namespace, name: job.name }),
    requestId: runIdFor(name),
    fingerprint: name,
    job,
    wish: { state: 'running', nonces: {} },
    source: { kind: 'message', queueArn: 'arn:q', messageId: name },
    by: 'somebody',
    at,
    ...change,
  };
}
