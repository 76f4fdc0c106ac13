import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Clock, Instant } from '../../core/clock.ts';
import { awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { PinnedJar } from '../job.ts';
import type { ObjectRef } from './objects.ts';
import { INCOMING_JARS, KNOWN_JARS, MAX_JAR_BYTES, pinnedKey, RENEW_AFTER_DAYS, sourceId } from './pin.ts';
import type { KeepJar, PinJar } from './pin.ts';
import { jarError } from './s3-objects.ts';

export interface PinStore {
  readonly s3: S3Client;
  /** The deployment's own bucket. */
  readonly bucket: string;
  readonly clock: Pick<Clock, 'now'>;
}

const DAY = 24 * 60 * 60_000;

/** Keeps jars under the key of their content, copied by S3 itself: no byte of them passes through the function. */
export function s3Pins(store: PinStore): { readonly pin: PinJar; readonly refresh: KeepJar } {
  return {
    async pin(jar) {
      if (jar.s3 === undefined) return jar;
      return { ...jar, pinned: await pin(store, jar.s3, jar.uri) };
    },
    refresh: (pinned) => refresh(store, pinned),
  };
}

async function pin(store: PinStore, named: ObjectRef, uri: string): Promise<PinnedJar> {
  const source = await exactly(store, named);
  const id = sourceId(source);
  const known = await readKnown(store, id);
  const kept = known === undefined ? undefined : await findKept(store, known, source.key);
  if (kept !== undefined) return kept;
  const incoming = `${INCOMING_JARS}${id}`;
  const { sha256, size } = await takeIn(store, source, incoming, uri);
  const found = await findKept(store, sha256, source.key);
  const pinned = found ?? { bucket: store.bucket, key: pinnedKey(sha256, source.key), sha256, size };
  if (found === undefined) await copyOwn(store, incoming, pinned.key, sha256);
  await writeKnown(store, id, sha256);
  return pinned;
}

/** What an object's name means now: without a version, what was known of it may be of other content. */
async function exactly(store: PinStore, named: ObjectRef): Promise<ObjectRef> {
  if (named.versionId !== undefined || named.eTag !== undefined) return named;
  const { ETag } = await headSource(store, named);
  return { ...named, ...defined({ eTag: ETag?.replaceAll('"', '') }) };
}

/** Copies what the source holds, if it still is what was looked into, and learns its checksum. */
async function takeIn(
  store: PinStore,
  source: ObjectRef,
  incoming: string,
  uri: string,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const head = await headSource(store, source);
  const size = head.ContentLength ?? 0;
  if (size > MAX_JAR_BYTES) {
    const message = `${uri} has ${size} bytes, more than the ${MAX_JAR_BYTES} that S3 copies at once: put it into the image`;
    throw new DispatchError('JarUnreadable', message, { field: 'job.jarURI' });
  }
  const summed = await copySource(store, source, incoming);
  const sha256 = summed ?? fullSum(await headOwn(store, incoming)) ?? (await sumOf(store, incoming));
  return { sha256, size };
}

async function headSource({ s3 }: PinStore, source: ObjectRef): Promise<HeadObjectCommandOutput> {
  const { bucket, key, versionId, eTag } = source;
  const pinning = versionId === undefined ? { IfMatch: quoted(eTag) } : { VersionId: versionId };
  try {
    return await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...pinning }));
  } catch (error) {
    throw jarError(error, source);
  }
}

async function copySource({ s3, bucket }: PinStore, source: ObjectRef, to: string): Promise<string | undefined> {
  const { versionId, eTag } = source;
  const version = versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`;
  try {
    const { CopyObjectResult } = await s3.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: to,
        CopySource: copySourceOf(source) + version,
        CopySourceIfMatch: quoted(eTag),
        ...OWN,
      }),
    );
    return hexSum(CopyObjectResult?.ChecksumSHA256);
  } catch (error) {
    const status = awsStatus(error);
    // The source was read a moment ago: what is forbidden now is the write.
    if (status === 403) throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${to}` });
    throw jarError(error, source);
  }
}

/** Nothing of the source's metadata and tags: reading tags would be another permission. */
const OWN = {
  ChecksumAlgorithm: 'SHA256',
  MetadataDirective: 'REPLACE',
  TaggingDirective: 'REPLACE',
  ContentType: 'application/java-archive',
} as const;

async function copyOwn({ s3, bucket }: PinStore, from: string, to: string, sha256: string): Promise<void> {
  const input = {
    Bucket: bucket,
    Key: to,
    CopySource: copySourceOf({ bucket, key: from }),
    ...OWN,
    Metadata: { sha256 },
  };
  try {
    await s3.send(new CopyObjectCommand(input));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${to}` });
  }
}

async function findKept(store: PinStore, sha256: string, sourceKey: string): Promise<PinnedJar | undefined> {
  const key = pinnedKey(sha256, sourceKey);
  const head = await headOwn(store, key);
  if (head === undefined) return undefined;
  if (isOld(head, store.clock.now())) await copyOwn(store, key, key, sha256);
  return { bucket: store.bucket, key, sha256, size: head.ContentLength ?? 0 };
}

async function refresh(store: PinStore, { key, sha256 }: PinnedJar): Promise<void> {
  const head = await headOwn(store, key);
  if (head !== undefined && isOld(head, store.clock.now())) await copyOwn(store, key, key, sha256);
}

function isOld({ LastModified }: HeadObjectCommandOutput, now: Instant): boolean {
  return LastModified !== undefined && now - LastModified.getTime() > RENEW_AFTER_DAYS * DAY;
}

async function headOwn({ s3, bucket }: PinStore, key: string): Promise<HeadObjectCommandOutput | undefined> {
  try {
    return await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
  } catch (error) {
    if (awsStatus(error) === 404) return undefined;
    throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${key}` });
  }
}

/** The checksum of the whole; one of parts' checksums has their number behind a hyphen. */
function fullSum(head: HeadObjectCommandOutput | undefined): string | undefined {
  return head?.ChecksumType === 'COMPOSITE' ? undefined : hexSum(head?.ChecksumSHA256);
}

function hexSum(base64: string | undefined): string | undefined {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  return bytes.length === 32 && !base64?.includes('-') ? bytes.toString('hex') : undefined;
}

/** For stores that sum nothing themselves. */
async function sumOf({ s3, bucket }: PinStore, key: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    for await (const chunk of (Body ?? []) as AsyncIterable<Uint8Array>) hash.update(chunk);
  } catch (error) {
    throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${key}` });
  }
  return hash.digest('hex');
}

async function readKnown({ s3, bucket }: PinStore, id: string): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: KNOWN_JARS + id }));
    const text = await Body?.transformToString();
    return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch (error) {
    if (awsStatus(error) === 404) return undefined;
    throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${KNOWN_JARS}${id}` });
  }
}

async function writeKnown({ s3, bucket }: PinStore, id: string, sha256: string): Promise<void> {
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: KNOWN_JARS + id, Body: sha256 }));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${KNOWN_JARS}${id}` });
  }
}

/** `bucket/key`, percent-encoded for the header. */
function copySourceOf({ bucket, key }: ObjectRef): string {
  return [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
}

function quoted(eTag: string | undefined): string | undefined {
  return eTag === undefined ? undefined : `"${eTag}"`;
}
