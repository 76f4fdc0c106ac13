import { DeleteObjectCommand, ListObjectsV2Command, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createS3SessionLeases } from '../../../lib/run/store/s3-session-leases.ts';
import { clusterId } from '../../fakes/ids.ts';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
beforeEach(() => s3.reset());
const leases = createS3SessionLeases({ s3: new S3Client({ region: 'us-east-1' }), bucket: 'ledger' });
const [first, second] = [clusterId('small-1a2b3c4d'), clusterId('big-1a2b3c4d')];
const REF = { target: 'default', namespace: 'flink', clusterId: first };

function failure(name: string, status: number): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status }, message: name });
}

describe('leases on S3', () => {
  it('are listed in pages of S3, passing over what is none', async () => {
    const strangers = ['flink/x.yaml', 'x.json', `team/flink/${first}.json`, `flink/${first}.json.bak`];
    const key = (name: string): { Key: string } => ({ Key: `sessions/default/${name}` });
    const last = key(`flink/${first}.json`);
    s3.on(ListObjectsV2Command).resolves({ Contents: [...strangers.map(key), last], IsTruncated: true });
    s3.on(ListObjectsV2Command, { StartAfter: last.Key }).resolves({ Contents: [key(`team/${second}.json`)] });
    expect(await leases.list('default')).toEqual([REF, { ...REF, namespace: 'team', clusterId: second }]);
  });

  it.each([404, 409, 412])('are not removed once they have changed: %i', async (status) => {
    s3.on(DeleteObjectCommand).rejects(failure('PreconditionFailed', status));
    expect(await leases.remove(REF, '"old"')).toBe(false);
  });

  it('say so when they cannot be removed', async () => {
    s3.on(DeleteObjectCommand).rejects(failure('AccessDenied', 403));
    await expect(leases.remove(REF, '"old"')).rejects.toMatchObject({ reason: 'PermissionDenied' });
  });
});
