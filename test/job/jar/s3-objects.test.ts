import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { s3Objects } from '../../../lib/job/jar/s3-objects.ts';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
const objects = s3Objects(new S3Client({ region: 'eu-central-1' }));
const REF = { bucket: 'jars', key: 'a b.jar' };

function failure(name: string, status: number | undefined): Error {
  return Object.assign(new Error(`the server said ${name}`), {
    name,
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  });
}

function body(text: string): never {
  return { transformToByteArray: () => Promise.resolve(new Uint8Array(Buffer.from(text))) } as never;
}

beforeEach(() => s3.reset());

describe('s3Objects', () => {
  it('reads a range, and learns the object from the same answer', async () => {
    s3.on(GetObjectCommand).resolves({
      Body: body('bytes'),
      ContentRange: 'bytes 0-4/900',
      ETag: '"e1"',
      VersionId: 'v1',
      Metadata: { a: 'b' },
    });
    const { head, bytes } = await objects.read({ ...REF, versionId: 'v1', eTag: 'e1' }, { offset: 0, length: 5 });
    expect(head).toEqual({ size: 900, eTag: 'e1', versionId: 'v1', metadata: { a: 'b' } });
    expect(Buffer.from(bytes).toString()).toBe('bytes');
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'jars',
      Key: 'a b.jar',
      VersionId: 'v1',
      Range: 'bytes=0-4',
    });
  });

  it('pins by content where there is no version, and reads the end of an object', async () => {
    s3.on(GetObjectCommand).resolves({
      Body: body('tail'),
      ContentRange: 'bytes 96-99/100',
      ETag: '"e1"',
      VersionId: 'null',
    });
    const { head } = await objects.read({ ...REF, eTag: 'e1' }, { length: 4 });
    expect(head).not.toHaveProperty('versionId');
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'jars',
      Key: 'a b.jar',
      IfMatch: '"e1"',
      Range: 'bytes=-4',
    });
  });

  it('reads nothing of an empty object', async () => {
    s3.on(GetObjectCommand).rejects(failure('InvalidRange', 416));
    s3.on(HeadObjectCommand).resolves({ ContentLength: 0, ETag: '"e0"' });
    expect(await objects.read(REF, { offset: 0, length: 5 })).toEqual({
      head: { size: 0, eTag: 'e0', metadata: {} },
      bytes: new Uint8Array(),
    });
  });

  it.each([
    ['NoSuchKey', 404, 'JarNotFound'],
    ['NoSuchBucket', 404, 'JarNotFound'],
    ['NotFound', 404, 'JarNotFound'],
    ['MethodNotAllowed', 405, 'JarNotFound'],
    ['PreconditionFailed', 412, 'JarNotFound'],
    ['AccessDenied', 403, 'JarAccessDenied'],
    ['PermanentRedirect', 301, 'JarAccessDenied'],
    ['ExpiredToken', 400, 'StorageUnavailable'],
    ['RequestTimeTooSkewed', 403, 'StorageUnavailable'],
    ['SlowDown', 503, 'StorageUnavailable'],
    ['InternalError', 500, 'StorageUnavailable'],
    ['TimeoutError', undefined, 'StorageUnavailable'],
  ])('turns %s (%s) into %s', async (name, status, reason) => {
    s3.on(GetObjectCommand).rejects(failure(name, status));
    s3.on(HeadObjectCommand).rejects(failure(name, status));
    await expect(objects.read(REF, { offset: 0, length: 1 })).rejects.toMatchObject({ reason });
    await expect(objects.head(REF)).rejects.toMatchObject({ reason });
  });

  it.each([
    ['InvalidObjectState', 403, 'The operation is not valid for the storage class', /is archived.*restore it/],
    ['AccessDenied', 403, 'not authorized to perform: kms:Decrypt on resource: x', /needs kms:Decrypt on the key/],
    ['KMS.DisabledException', 400, 'key is disabled', /needs kms:Decrypt on the key/],
    ['AccessDenied', 403, 'Access Denied', /needs s3:GetObject on it and s3:ListBucket/],
  ])('says what reading needs: %s (%i), %s', async (name, status, message, words) => {
    s3.on(GetObjectCommand).rejects(Object.assign(failure(name, status), { message }));
    await expect(objects.read(REF, { offset: 0, length: 1 })).rejects.toMatchObject({
      reason: 'JarAccessDenied',
      message: expect.stringMatching(words) as string,
    });
  });

  it('has no text where there is no object, and says so of nothing else', async () => {
    s3.on(GetObjectCommand).rejects(failure('NoSuchKey', 404));
    expect(await objects.text(REF, 100)).toBeUndefined();
    s3.on(GetObjectCommand).rejects(failure('AccessDenied', 403));
    await expect(objects.text(REF, 100)).rejects.toMatchObject({ reason: 'JarAccessDenied' });
    s3.on(GetObjectCommand).resolves({ Body: body('a: b'), ContentLength: 4 });
    expect(await objects.text(REF, 100)).toBe('a: b');
    await expect(objects.text(REF, 3)).rejects.toMatchObject({ reason: 'InvalidSpec' });
  });
});
