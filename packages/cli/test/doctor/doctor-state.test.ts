import { DeleteObjectsCommand, ListObjectsV2Command, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { examineState } from '../../src/doctor/state-checks.ts';
import { fakeIo } from '../fake-io.ts';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
beforeEach(() => {
  s3.reset();
  s3.on(ListObjectsV2Command).resolves({});
  s3.on(DeleteObjectsCommand).resolves({});
});

const config = (allow: string) =>
  parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
allow: { ${allow} }
`);
const WITH = config("stateStorage: ['s3://state/streams']");
const examine = (probes: boolean, deployment = WITH) => examineState(deployment, { io: fakeIo({}), probes });
const denied = new S3ServiceException({
  ...{ name: 'AccessDenied', $fault: 'client', message: 'no' },
  $metadata: { httpStatusCode: 403 },
});

describe('doctor, of the state that streams keep', () => {
  it('has nothing to say where none is configured', async () => {
    expect(await examine(true, config("images: ['flink:*']"))).toEqual([]);
  });

  it('reads each prefix, and tries to delete nothing unless it may probe', async () => {
    expect(await examine(false)).toMatchObject([
      { target: 's3://state/streams', name: 'read state', state: 'ok' },
      { name: 'delete state', state: 'unknown', fix: expect.stringContaining('--probe') as string },
    ]);
    expect(s3.commandCalls(DeleteObjectsCommand)).toEqual([]);
  });

  it('deletes what is not there, to see whether it may', async () => {
    expect((await examine(true)).map(({ state }) => state)).toEqual(['ok', 'ok']);
    const [call] = s3.commandCalls(DeleteObjectsCommand);
    const Objects = [{ Key: 'streams/flink-dispatch-doctor' }];
    expect(call?.args[0].input).toMatchObject({ Bucket: 'state', Delete: { Objects } });
  });

  it('fails without the rights, and names them', async () => {
    s3.on(ListObjectsV2Command).rejects(denied);
    s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Code: 'AccessDenied', Message: 'Access Denied' }] });
    expect(await examine(true)).toMatchObject([
      { state: 'failed', fix: expect.stringContaining('s3:ListBucket') as string },
      { state: 'failed', message: 'Access Denied', fix: expect.stringContaining('s3:DeleteObject') as string },
    ]);
  });
});
