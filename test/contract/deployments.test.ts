import { beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../lib/core/ids.ts';
import type { DeploymentRequest } from '../../lib/deployment/record.ts';
import type { Deployments } from '../../lib/deployment/store/deployments.ts';
import { createS3Deployments } from '../../lib/deployment/store/s3-deployments.ts';
import { jobIn, recordOf } from '../deployment/job.ts';
import { FakeDeployments } from '../fakes/deployments.ts';
import { forEachS3Server, freshBucket } from './aws-server.ts';
import { memoryBucket } from './support/memory-bucket.ts';

const ID = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: 'orders' });
const OTHER = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: 'other' });
const UPLOADS = { bucket: 'jars', key: 'a/../ö.jar' };

function request(text: string): DeploymentRequest {
  return {
    ...{ version: 1, deployment: ID, requestId: runIdFor(text), fingerprint: text, job: jobIn(text) },
    wish: { state: 'running', nonces: {} },
    source: { kind: 'message', queueArn: 'arn:q', messageId: text },
    ...{ by: 'arn:q', at: 1 },
  };
}

describeDeployments('fake', () => Promise.resolve(new FakeDeployments()));

describeDeployments('S3 in memory', () => Promise.resolve(createS3Deployments(memoryBucket())));
forEachS3Server((server) => {
  describeDeployments(`S3 of ${server.name}`, async () => createS3Deployments(await freshBucket(server)));
});

function describeDeployments(name: string, make: () => Promise<Deployments>): void {
  describe(`deployments: ${name}`, () => {
    let deployments: Deployments;
    beforeEach(async () => {
      deployments = await make();
    });

    it('are created once, and changed by who read them last', async () => {
      const record = recordOf([request('one')]);
      expect(await deployments.read(ID)).toBeUndefined();
      const created = await deployments.create(record);
      expect(created?.value).toEqual(record);
      expect(await deployments.create(record)).toBeUndefined();
      const next = { ...record, updatedAt: 2 };
      const version = created?.version ?? '';
      expect(await deployments.replace(next, version)).toBeDefined();
      expect(await deployments.replace({ ...record, updatedAt: 3 }, version)).toBeUndefined();
      expect((await deployments.read(ID))?.value).toEqual(next);
    });

    it('keep a request as it was first', async () => {
      const first = request('one');
      expect(await deployments.keepRequest(first)).toEqual({ kind: 'created', request: first });
      expect(await deployments.keepRequest({ ...first, at: 9 })).toEqual({ kind: 'exists', request: first });
      expect(await deployments.readRequest(ID, first.requestId)).toEqual(first);
      expect(await deployments.readRequest(ID, runIdFor('unknown'))).toBeUndefined();
    });

    it('have the uploads of a key, each for one of them, until its place is taken', async () => {
      expect(await deployments.uploadsOf(UPLOADS)).toBeUndefined();
      const first = await deployments.claimUploads(UPLOADS, ID);
      expect(first.value).toBe(ID);
      expect(await deployments.claimUploads(UPLOADS, OTHER)).toEqual(first);
      expect((await deployments.claimUploads({ ...UPLOADS, key: 'b.jar' }, OTHER)).value).toBe(OTHER);
      const taken = await deployments.claimUploads(UPLOADS, OTHER, first.version);
      expect(taken.value).toBe(OTHER);
      expect(await deployments.claimUploads(UPLOADS, ID, first.version)).toEqual(taken);
      expect(await deployments.uploadsOf(UPLOADS)).toBe(OTHER);
    });

    it('are listed while they are marked, and a mark set anew is spared', async () => {
      await deployments.mark(ID);
      await deployments.mark(OTHER);
      const [first, second] = await deployments.list({ limit: 10 });
      if (first === undefined || second === undefined) throw new Error('two are marked');
      expect([first.id, second.id]).toEqual([ID, OTHER].sort());
      expect((await deployments.list({ after: first.id, limit: 10 })).map(({ id }) => id)).toEqual([second.id]);
      await deployments.mark(first.id);
      await deployments.forget(first);
      await deployments.forget(second);
      expect((await deployments.list({ limit: 10 })).map(({ id }) => id)).toEqual([first.id]);
    });
  });
}
