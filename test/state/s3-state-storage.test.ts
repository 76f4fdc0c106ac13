import {
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { s3StateStorages } from '../../lib/state/s3-state-storage.ts';
import { flinkMetadata } from '../fakes/flink-metadata.ts';
import { isBelow } from '../../lib/state/storage.ts';

const mock = mockClient(S3Client);
afterAll(() => mock.restore());
beforeEach(() => mock.reset());

const storages = s3StateStorages({ s3: new S3Client({ region: 'us-east-1' }), allowed: ['s3://bucket/state/'] });
const storage = storages('s3://bucket/state');

function answer(bytes: Uint8Array): GetObjectCommandOutput {
  const Body = { transformToByteArray: () => Promise.resolve(bytes) } as unknown as NonNullable<
    GetObjectCommandOutput['Body']
  >;
  return { Body, LastModified: new Date(5), ContentRange: 'bytes 0-15/700', $metadata: {} };
}

function failure(name: string, status: number): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status }, message: name });
}

describe('state storage in S3', () => {
  it.each([
    ['InternalError', 500, 'StateStorageUnavailable'],
    ['SlowDown', 503, 'StateStorageUnavailable'],
    ['ExpiredToken', 400, 'StateStorageUnavailable'],
    ['AccessDenied', 403, 'StateStorageDenied'],
    ['NoSuchBucket', 404, 'StateStorageDenied'],
    ['PermanentRedirect', 301, 'StateStorageDenied'],
  ])('%s %d is %s', async (name, status, reason) => {
    mock.on(ListObjectsV2Command).rejects(failure(name, status));
    await expect(storage.savepoints('s3://bucket/state/sp')).rejects.toMatchObject({ reason });
    await expect(storage.savepoints('s3://bucket/state/sp')).rejects.toThrow('s3:ListBucket');
  });

  it('is not told of a missing object by one that it may not see', async () => {
    mock.on(GetObjectCommand).rejects(failure('AccessDenied', 403));
    await expect(storage.look('s3://bucket/state/sp')).rejects.toMatchObject({ reason: 'StateStorageDenied' });
  });

  it.each([
    [flinkMetadata(9).subarray(0, 20), 'bytes 0-19/20', 'the file ends 4 bytes too early, at byte 20'],
    [Buffer.from('AccessDenied'), 'bytes 0-11/12', 'it does not begin as metadata of Flink does'],
    [flinkMetadata(9), 'bytes 0-27/99999999', 'of its 99999999 bytes no more than 33554432 are read'],
  ])('says what is wrong with a broken snapshot', async (bytes, ContentRange, message) => {
    mock.on(GetObjectCommand).resolves({ ...answer(bytes), ContentRange });
    const content = storage.content('s3://bucket/state/sp/1');
    await expect(content).rejects.toMatchObject({ reason: 'StateUnreadable' });
    await expect(content).rejects.toThrow(`s3://bucket/state/sp/1/_metadata cannot be read: ${message}`);
    expect(mock.commandCalls(GetObjectCommand)[0]?.args[0].input.Range).toBe('bytes=0-33554431');
  });

  it('reads every page of a list', async () => {
    mock
      .on(ListObjectsV2Command, { Prefix: 'state/sp/', Delimiter: '/' })
      .resolvesOnce({ CommonPrefixes: [{ Prefix: 'state/sp/a/' }], IsTruncated: true, NextContinuationToken: 't' })
      .resolves({ CommonPrefixes: [{ Prefix: 'state/sp/b/' }] });
    mock.on(GetObjectCommand).resolves(answer(flinkMetadata(9)));
    const found = await storage.savepoints('s3a://bucket/state/sp/');
    expect(found.map(({ path }) => path)).toEqual(['s3a://bucket/state/sp/a', 's3a://bucket/state/sp/b']);
    expect(found[0]).toMatchObject({ at: 5, bytes: 700, checkpointId: 9 });
    expect(mock.commandCalls(ListObjectsV2Command)[1]?.args[0].input.ContinuationToken).toBe('t');
  });

  it.each([
    ['something else', Buffer.from('PK that is no metadata at all')],
    ['a beginning', flinkMetadata(9).subarray(0, 12)],
  ])('takes %s for no snapshot', async (_, bytes) => {
    mock.on(GetObjectCommand).resolves(answer(bytes));
    expect(await storage.look('s3://bucket/state/sp')).toBeUndefined();
  });

  it('takes an empty object for no snapshot', async () => {
    mock.on(GetObjectCommand).rejects(failure('InvalidRange', 416));
    expect(await storage.look('s3://bucket/state/sp')).toBeUndefined();
  });

  it('removes first what makes a snapshot complete', async () => {
    const Contents = ['0f', '_metadata', 'f0'].map((name) => ({ Key: `state/sp/${name}` }));
    mock.on(ListObjectsV2Command).resolves({ Contents });
    mock.on(DeleteObjectsCommand).resolves({});
    await storage.remove('s3://bucket/state/sp');
    const removed = mock
      .commandCalls(DeleteObjectsCommand)
      .map(({ args: [{ input }] }) => input.Delete?.Objects?.map(({ Key }) => Key));
    expect(removed).toEqual([['state/sp/_metadata'], Contents.map(({ Key }) => Key)]);
  });

  it('tells what could not be removed', async () => {
    mock.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'state/sp/_metadata' }] });
    mock.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: 'state/sp/_metadata', Code: 'AccessDenied' }] });
    await expect(storage.remove('s3://bucket/state/sp')).rejects.toMatchObject({ reason: 'StateStorageDenied' });
    mock.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: 'state/sp/_metadata', Code: 'InternalError' }] });
    await expect(storage.remove('s3://bucket/state/sp')).rejects.toMatchObject({ reason: 'StateStorageUnavailable' });
  });

  it.each([
    's3://bucket/state-of-others',
    's3://bucket',
    's3://other/state',
    's3://bucket/stat',
    's3://bucket/x/../state',
  ])('asks nothing for %s, which is not allowed', async (path) => {
    for (const ask of [storage.look(path), storage.checkpoints(path, 'a'), storage.remove(path)]) {
      await expect(ask).rejects.toMatchObject({ reason: 'StateStorageDenied' });
    }
    expect(mock.calls()).toHaveLength(0);
  });

  it('removes no whole bucket', async () => {
    const all = s3StateStorages({ s3: new S3Client({ region: 'us-east-1' }), allowed: ['s3://bucket'] })('s3://bucket');
    await expect(all.remove('s3://bucket/')).rejects.toThrow('whole bucket');
    expect(mock.calls()).toHaveLength(0);
  });

  it.each(['gs://bucket/state', 'file:///state', '/state', 's3:///state', ''])('has no way to %s', (uri) => {
    expect(() => storages(uri)).toThrow(expect.objectContaining({ reason: 'StateStorageDenied' }));
  });
});

it.each([
  ['s3://b/x', 's3://b', true],
  ['s3a://b/x/y', 's3://b/x/', true],
  ['s3://b/x/', 's3p://b/x', true],
  ['s3://b/xy', 's3://b/x', false],
  ['s3://bc/x', 's3://b', false],
])('%s in %s: %s', (path, directory, expected) => {
  expect(isBelow(path, directory)).toBe(expected);
});
