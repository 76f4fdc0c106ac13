import { expect, it } from 'vitest';
import { claimUploads } from '../../../lib/dispatch/deployment/claim-uploads.ts';
import type { DeploymentRequest, DeploymentState } from '../../../lib/deployment/record.ts';
import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { jobIn, recordOf } from '../../deployment/job.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';

const job = jobIn('one');
const { target, namespace, name } = job;
const id = deploymentIdFor({ tenant: undefined, target, namespace, name });
const source = { kind: 'jar-upload', bucket: 'jars', key: 'orders.jar', eventTime: 0 } as const;
const upload = { source, identity: 'upload' } as const;

async function withFirst(state: DeploymentState): Promise<FakeDeployments> {
  const deployments = new FakeDeployments();
  await claimUploads(job, upload, { deployments });
  const requested: DeploymentRequest = {
    ...{ wish: { state: 'running', nonces: {} }, by: 's3://jars/orders.jar', at: 1 },
    ...{ version: 1, deployment: id, requestId: runIdFor('one'), fingerprint: 'one', job, source },
  };
  await deployments.create({ ...recordOf([requested]), state });
  return deployments;
}

it.each([
  ['target', { target: 'other' }],
  ['namespace', { namespace: 'other' }],
  ['name', { name: 'other' }],
])('an upload that another %s would make a second stream is refused', async (field, change) => {
  const deployments = await withFirst('running');
  const refused = claimUploads({ ...job, ...change }, upload, { deployments });
  await expect(refused).rejects.toMatchObject({ reason: 'InvalidSpec', field });
  await expect(refused).rejects.toThrow(`flink-dispatch deployments suspend ${id}`);
  await claimUploads(job, upload, { deployments });
});

it.each(['suspended', 'finished', 'deleted'] as const)('one that is %s leaves the key to another', async (state) => {
  const deployments = await withFirst(state);
  await claimUploads({ ...job, name: 'other' }, upload, { deployments });
  await expect(claimUploads({ ...job, name: 'third' }, upload, { deployments })).resolves.toBeUndefined();
});

it('messages name what they mean', async () => {
  const deployments = await withFirst('running');
  const message = { source: { kind: 'message', queueArn: 'arn:q', messageId: 'm' }, identity: 'm' } as const;
  await expect(claimUploads({ ...job, name: 'other' }, message, { deployments })).resolves.toBeUndefined();
});
