import { createHash, randomBytes } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Jar } from '../../lib/job/job.ts';
import { s3Objects } from '../../lib/job/jar/s3-objects.ts';
import { s3Pins } from '../../lib/job/jar/s3-pins.ts';
import type { Bucket } from '../../lib/run/store/s3-objects.ts';
import { forEachAwsServer, freshBucket } from './aws-server.ts';

const DAY = 24 * 60 * 60_000;
const bytes = randomBytes(100_000);
const hex = createHash('sha256').update(bytes).digest('hex');

forEachAwsServer((server) => {
  describe(`pinned jars: S3 of ${server.name}`, () => {
    let source: Bucket;
    let own: Bucket;
    let time: number;
    let sent: string[];
    beforeEach(async () => {
      source = await freshBucket(server);
      own = await freshBucket(server);
      time = Date.now();
      sent = [];
    });

    const clock = { now: () => time };
    const pins = () => s3Pins({ ...own, s3: counting(own.s3, sent), clock });

    async function upload(key: string, body: Uint8Array): Promise<Jar> {
      await source.s3.send(new PutObjectCommand({ Bucket: source.bucket, Key: key, Body: body }));
      const { eTag, versionId } = await s3Objects(source.s3).head({ bucket: source.bucket, key });
      const version = versionId === undefined ? {} : { versionId };
      return { uri: `s3://${source.bucket}/${key}`, s3: { bucket: source.bucket, key, eTag, ...version } };
    }

    async function contentOf({ pinned }: Jar): Promise<Buffer> {
      if (pinned === undefined) throw new Error('not pinned');
      const { Body } = await own.s3.send(new GetObjectCommand({ Bucket: pinned.bucket, Key: pinned.key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    }

    it('are kept by their content, and survive another upload and the loss of their source', async () => {
      const jar = await pins().pin(await upload('team a/jöb+1.jar', bytes));
      const key = `jars/sha256/${hex}/j_b_1.jar`;
      expect(jar.pinned).toEqual({ bucket: own.bucket, key, sha256: hex, size: bytes.length });
      await upload('team a/jöb+1.jar', randomBytes(10));
      await source.s3.send(new DeleteObjectCommand({ Bucket: source.bucket, Key: 'team a/jöb+1.jar' }));
      expect((await contentOf(jar)).equals(bytes)).toBe(true);
    });

    it('cost two small requests and no copy the second time', async () => {
      const jar = await upload('a.jar', bytes);
      const first = await pins().pin(jar);
      sent.length = 0;
      expect(await pins().pin(jar)).toEqual(first);
      expect(sent).toEqual(['GetObjectCommand', 'HeadObjectCommand']);
    });

    it('are what stands under a name now, when no version of it is meant', async () => {
      const { uri } = await upload('a.jar', bytes);
      const named = { uri, s3: { bucket: source.bucket, key: 'a.jar' } };
      expect((await contentOf(await pins().pin(named))).equals(bytes)).toBe(true);
      const next = randomBytes(10);
      await upload('a.jar', next);
      expect((await contentOf(await pins().pin(named))).equals(next)).toBe(true);
    });

    it('are one for the same bytes from two places', async () => {
      const first = await pins().pin(await upload('x/a.jar', bytes));
      const second = await pins().pin(await upload('y/a.jar', bytes));
      expect(second.pinned).toEqual(first.pinned);
    });

    it('take the version that was meant, where the bucket has versions', async () => {
      const { s3, bucket } = source;
      await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
      const old = await upload('a.jar', bytes);
      await upload('a.jar', randomBytes(10));
      expect((await contentOf(await pins().pin(old))).equals(bytes)).toBe(true);
    });

    it('are refused when the source was overwritten before they were kept', async () => {
      const stale = await upload('a.jar', bytes);
      await upload('a.jar', randomBytes(10));
      await expect(pins().pin(stale)).rejects.toMatchObject({
        reason: 'JarNotFound',
        field: 'job.jarURI',
        message: expect.stringContaining('overwritten') as string,
      });
    });

    it('are refused when the source is gone', async () => {
      const jar = await upload('a.jar', bytes);
      await source.s3.send(new DeleteObjectCommand({ Bucket: source.bucket, Key: 'a.jar' }));
      await expect(pins().pin(jar)).rejects.toMatchObject({ reason: 'JarNotFound', field: 'job.jarURI' });
    });

    it('are renewed when they are used a month later, and not before', async () => {
      const { pinned } = await pins().pin(await upload('a.jar', bytes));
      if (pinned === undefined) throw new Error('not pinned');
      sent.length = 0;
      time += 29 * DAY;
      await pins().refresh(pinned);
      expect(sent).toEqual(['HeadObjectCommand']);
      time += 2 * DAY;
      await pins().refresh(pinned);
      expect(sent).toEqual(['HeadObjectCommand', 'HeadObjectCommand', 'CopyObjectCommand']);
      expect((await contentOf({ uri: '', pinned })).equals(bytes)).toBe(true);
    });
  });
});

/** The client, and the names of the commands that go through it. */
function counting(s3: S3Client, sent: string[]): S3Client {
  return new Proxy(s3, {
    get(target, key): unknown {
      if (key !== 'send') return Reflect.get(target, key, target);
      return (command: object): unknown => {
        sent.push(command.constructor.name);
        return target.send(command as Parameters<S3Client['send']>[0]);
      };
    },
  });
}
