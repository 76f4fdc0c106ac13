import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runIdFor, sha256Hex } from '../../../lib/core/ids.ts';
import { createS3EvidenceStore } from '../../../lib/run/store/s3-evidence-store.ts';
import { createS3Ledger } from '../../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns } from '../../../lib/run/store/s3-live-runs.ts';
import { createS3Locks } from '../../../lib/run/store/s3-locks.ts';
import { sampleRecord } from '../../fixtures/records/load.ts';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
const bucket = { s3: new S3Client({ region: 'us-east-1' }), bucket: 'ledger', sleep: () => Promise.resolve() };
const ledger = createS3Ledger(bucket);
const record = sampleRecord();
const key = `runs/${record.runId}/record.json`;

function failure(name: string, status: number): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status }, message: `${name}!` });
}

/** The part of the SDK's stream that the adapter uses. */
function body(text: string): never {
  return { transformToString: () => Promise.resolve(text) } as never;
}

function stored(value: unknown, writeId = 'another'): void {
  s3.on(GetObjectCommand).callsFake(() => ({
    Body: body(JSON.stringify(value)),
    ETag: '"now"',
    Metadata: { 'write-id': writeId },
  }));
}

/** Answers as S3 does when the SDK repeats a write that had succeeded: refused, and the object is ours. */
function loseAnswer(status: number): void {
  s3.on(PutObjectCommand, { Key: key }).callsFake((input: { Metadata: Record<string, string>; Body: string }) => {
    s3.on(GetObjectCommand).resolves({ Body: body(input.Body), ETag: '"mine"', Metadata: input.Metadata });
    throw failure('PreconditionFailed', status);
  });
}

beforeEach(() => {
  s3.reset();
  s3.on(PutObjectCommand).resolves({ ETag: '"new"' });
  s3.on(DeleteObjectCommand).resolves({});
});

describe('the ledger on S3', () => {
  it('marks the run live before it creates the record, on condition that there is none', async () => {
    expect(await ledger.create(record)).toEqual({ kind: 'created', value: record, version: '"new"' });
    const [marker, object] = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input);
    expect(marker).toMatchObject({ Bucket: 'ledger', Key: `live/${record.runId}` });
    expect(object).toMatchObject({ Bucket: 'ledger', Key: key, IfNoneMatch: '*', ContentType: 'application/json' });
    expect(JSON.parse(object?.Body as string)).toEqual(record);
  });

  it('creates no record that it could not mark', async () => {
    s3.on(PutObjectCommand).rejects(failure('SlowDown', 503));
    await expect(ledger.create(record)).rejects.toMatchObject({ reason: 'StorageUnavailable', retryable: true });
    expect(s3.commandCalls(PutObjectCommand, { Key: key })).toHaveLength(0);
  });

  it('creates the record again where the one that stood is gone when it is read', async () => {
    s3.on(PutObjectCommand, { Key: key }).rejectsOnce(failure('PreconditionFailed', 412)).resolves({ ETag: '"new"' });
    s3.on(GetObjectCommand).rejects(failure('NoSuchKey', 404));
    expect(await ledger.create(record)).toEqual({ kind: 'created', value: record, version: '"new"' });
  });

  it('takes no write for done of which S3 gives no ETag', async () => {
    s3.on(PutObjectCommand, { Key: key }).resolves({});
    await expect(ledger.create(record)).rejects.toThrow('no ETag');
  });

  it('knows its own create again when the answer was lost', async () => {
    loseAnswer(412);
    expect(await ledger.create(record)).toEqual({ kind: 'created', value: record, version: '"mine"' });
  });

  it('knows its own replace again when the answer was lost', async () => {
    loseAnswer(412);
    expect(await ledger.replace(record, '"old"')).toEqual({ value: record, version: '"mine"' });
  });

  it('does not take an equal record of another writer for its own', async () => {
    s3.on(PutObjectCommand, { Key: key }).rejects(failure('PreconditionFailed', 412));
    stored(record);
    expect(await ledger.create(record)).toMatchObject({ kind: 'exists', version: '"now"' });
    expect(await ledger.replace(record, '"old"')).toBeUndefined();
    expect(s3.commandCalls(PutObjectCommand, { Key: key })).toHaveLength(2);
  });

  it('tries again when S3 says that another conditional write is under way', async () => {
    s3.on(PutObjectCommand, { Key: key })
      .rejectsOnce(failure('ConditionalRequestConflict', 409))
      .resolves({ ETag: '"new"' });
    expect(await ledger.replace(record, '"old"')).toMatchObject({ version: '"new"' });
    s3.on(PutObjectCommand, { Key: key }).rejects(failure('ConditionalRequestConflict', 409));
    await expect(ledger.replace(record, '"old"')).rejects.toMatchObject({ reason: 'StorageUnavailable' });
  });

  it('removes the marker once the record is closed, and only then', async () => {
    await ledger.replace(record, '"old"');
    expect(s3.commandCalls(DeleteObjectCommand)).toHaveLength(0);
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(1);
    await ledger.replace({ ...record, state: 'closed' }, '"old"');
    expect(s3.commandCalls(DeleteObjectCommand)[0]?.args[0].input).toMatchObject({ Key: `live/${record.runId}` });
  });

  it.each([
    ['SlowDown', 503, 'StorageUnavailable'],
    ['NoSuchBucket', 404, 'Internal'],
  ])('says so when it cannot remove the marker: %s', async (name, status, reason) => {
    s3.on(DeleteObjectCommand).rejects(failure(name, status));
    const closing = ledger.replace({ ...record, state: 'closed' }, '"old"');
    await expect(closing).rejects.toMatchObject({ reason });
    await expect(closing).rejects.toThrow(`s3:DeleteObject on s3://ledger/live/${record.runId}`);
  });

  it.each([404, 409, 412])('spares a marker that was set anew: %i', async (status) => {
    s3.on(DeleteObjectCommand).rejects(failure('PreconditionFailed', status));
    const { runId } = record;
    await createS3LiveRuns(bucket).forget({ runId, place: runId, markedAt: 0, version: '"old"', rows: [] });
    expect(s3.commandCalls(DeleteObjectCommand)[0]?.args[0].input).toMatchObject({
      ...{ Key: `live/${runId}`, IfMatch: '"old"' },
    });
  });

  it('says so when it cannot forget one', async () => {
    s3.on(DeleteObjectCommand).rejects(failure('SlowDown', 503));
    const { runId } = record;
    const marker = { runId, place: runId, markedAt: 0, version: '"old"', rows: [] };
    await expect(createS3LiveRuns(bucket).forget(marker)).rejects.toMatchObject({ reason: 'StorageUnavailable' });
  });

  it('lists in pages of S3, passing over what is no run', async () => {
    const ids = ['a', 'b'].map(runIdFor).sort();
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: `live/${ids[0]}` }, { Key: 'live/x' }], IsTruncated: true })
      .resolves({ Contents: [] });
    s3.on(ListObjectsV2Command, { StartAfter: 'live/x' }).resolves({ Contents: [{ Key: `live/${ids[1]}` }] });
    const live = createS3LiveRuns(bucket);
    expect((await live.list({ limit: 5 })).map(({ runId }) => runId)).toEqual(ids);
  });

  it.each([
    ['no answer', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), 'StorageUnavailable'],
    ['no answer in time', Object.assign(new Error('x'), { name: 'TimeoutError' }), 'StorageUnavailable'],
    ['a stale clock', failure('RequestTimeTooSkewed', 403), 'StorageUnavailable'],
    ['a denial', failure('AccessDenied', 403), 'PermissionDenied'],
    ['a missing bucket', failure('NoSuchBucket', 404), 'Internal'],
  ])('says of %s what it is, and names the object', async (_what, error, reason) => {
    s3.on(GetObjectCommand).rejects(error);
    await expect(ledger.read(record.runId)).rejects.toMatchObject({ reason });
    await expect(ledger.read(record.runId)).rejects.toThrow(`s3:GetObject on s3://ledger/${key}`);
  });

  it('does not read what a later version wrote', async () => {
    stored({ ...record, version: 2 });
    await expect(ledger.read(record.runId)).rejects.toMatchObject({ reason: 'Internal', field: 'version' });
  });
});

describe('locks on S3', () => {
  const a = { runId: runIdFor('a'), since: 1 };
  const b = runIdFor('b');

  it('decides again after a lost race', async () => {
    s3.on(GetObjectCommand).rejects(failure('NoSuchKey', 404));
    s3.on(ListObjectsV2Command).resolves({});
    s3.on(PutObjectCommand).callsFake(() => {
      stored({ version: 1, key: 'k', holder: b, revision: 1 });
      throw failure('PreconditionFailed', 412);
    });
    expect(await createS3Locks(bucket).acquire({ key: 'k' }, a, { enqueue: false })).toEqual({
      held: false,
      holder: b,
    });
  });

  it('gives up a race that does not end', async () => {
    stored({ version: 1, key: 'k', holder: null, revision: 1 });
    s3.on(ListObjectsV2Command).resolves({});
    s3.on(PutObjectCommand).rejects(failure('PreconditionFailed', 412));
    await expect(createS3Locks(bucket).acquire({ key: 'k' }, a, { enqueue: false })).rejects.toMatchObject({
      reason: 'StorageUnavailable',
    });
  });

  it('are where the functions of other versions look for them', async () => {
    s3.on(GetObjectCommand).rejects(failure('NoSuchKey', 404));
    s3.on(ListObjectsV2Command).resolves({});
    await createS3Locks(bucket).acquire({ key: 'k' }, a, { enqueue: false });
    await createS3Locks(bucket).acquire({ tenant: 't', key: 'k' }, a, { enqueue: true });
    const keys = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input.Key);
    expect(keys).toEqual([
      `locks/${sha256Hex('k')}.json`,
      `lock-queues/t/${sha256Hex('k')}/0000000000001~${a.runId}`,
      `locks/t/${sha256Hex('k')}.json`,
    ]);
  });

  it('are not written by a run that neither holds nor awaits one', async () => {
    s3.on(GetObjectCommand).rejects(failure('NoSuchKey', 404));
    s3.on(ListObjectsV2Command).resolves({});
    s3.on(DeleteObjectCommand).resolves({});
    await createS3Locks(bucket).release({ key: 'k' }, a);
    stored({ version: 1, key: 'k', holder: b, revision: 1 });
    await createS3Locks(bucket).release({ key: 'k' }, a);
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(0);
  });

  it.each([
    [],
    { version: 2, holder: null, revision: 1 },
    { version: 1, holder: 7, revision: 1 },
    { version: 1, holder: 'somebody', revision: 1 },
    { version: 1, holder: null },
    { version: 1, holder: null, revision: '1' },
  ])('refuses an object that is no lock: %j', async (value) => {
    stored(value);
    await expect(createS3Locks(bucket).acquire({ key: 'k' }, a, { enqueue: false })).rejects.toMatchObject({
      reason: 'Internal',
    });
  });
});

describe('evidence on S3', () => {
  const store = createS3EvidenceStore(bucket);

  it('is redacted, as text and as JSON', async () => {
    const uri = await store.put(record.runId, 2, 'jobmanager.log', 'password=hunter2', 'text/plain');
    expect(uri).toBe(`s3://ledger/runs/${record.runId}/evidence/2/jobmanager.log`);
    await store.put(record.runId, 2, 'pods.json', '{"env":[{"name":"A_TOKEN","value":"x y"}]}', 'application/json');
    const bodies = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input.Body);
    expect(bodies).toEqual(['password=******', '{"env":[{"name":"A_TOKEN","value":"******"}]}']);
  });

  it('keeps bytes as they are', async () => {
    const bytes = new Uint8Array([1, 2]);
    await store.put(record.runId, 1, 'dump.bin', bytes, 'application/octet-stream');
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input.Body).toBe(bytes);
  });

  it('has a report beside it, as it is', async () => {
    await store.putReport(record.runId, '<p>password=hunter2</p>');
    const { Key, Body, ContentType } = s3.commandCalls(PutObjectCommand)[0]?.args[0].input ?? {};
    expect([Key, Body, ContentType]).toEqual([
      `runs/${record.runId}/report.html`,
      '<p>password=hunter2</p>',
      'text/html; charset=utf-8',
    ]);
  });

  it.each(['../record.json', '/a', 'a//b', '.x', 'a b', '', 'a/../b', 'a'.repeat(201)])(
    'refuses the name %j',
    async (name) => {
      await expect(store.put(record.runId, 1, name, '', 'text/plain')).rejects.toMatchObject({ reason: 'Internal' });
    },
  );
});
