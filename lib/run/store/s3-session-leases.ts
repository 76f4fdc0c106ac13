import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { isStoredClusterId, type ClusterId } from '../../core/ids.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';
import type { SessionLease, SessionLeases, SessionRef } from '../session-lease.ts';

const instant = z.number();

const lease = z.looseObject({
  version: z.literal(1),
  target: z.string(),
  namespace: z.string(),
  clusterId: z.custom<ClusterId>(isStoredClusterId, 'must be a cluster id'),
  pool: z.string(),
  state: z.enum(['open', 'stopping']),
  runs: z.record(z.string(), instant),
  idleSince: instant.exactOptional(),
  idleAfter: z.number(),
}) satisfies z.ZodType<SessionLease>;

/** Leases on S3: `sessions/<target>/<namespace>/<cluster-id>.json`, changed by conditional writes alone. */
export function createS3SessionLeases(bucket: Bucket): SessionLeases {
  return {
    async read(ref) {
      const stored = await getText(bucket, keyOf(ref));
      return stored === undefined ? undefined : { value: parseLease(stored.text, ref), version: stored.eTag };
    },
    async write(value, version) {
      const condition = version === undefined ? 'absent' : { eTag: version };
      return (await putIf(bucket, keyOf(value), JSON.stringify(value), condition)) !== undefined;
    },
    list: (target) => list(bucket, target),
    remove: (ref, version) => remove(bucket, keyOf(ref), version),
  };
}

/** S3 lists 1000 at a time. */
async function list({ s3, bucket }: Bucket, target: string): Promise<readonly SessionRef[]> {
  const prefix = `sessions/${target}/`;
  const found: SessionRef[] = [];
  for (let after: string | undefined; ;) {
    const from = defined({ StartAfter: after });
    const input = { Bucket: bucket, Prefix: prefix, ...from };
    const { Contents = [], IsTruncated = false } = await ask('s3:ListBucket', bucket, () =>
      s3.send(new ListObjectsV2Command(input)),
    );
    for (const { Key = '' } of Contents) {
      const [, namespace, clusterId] = /^([^/]+)\/([^/]+)\.json$/.exec(Key.slice(prefix.length)) ?? [];
      if (namespace !== undefined && isStoredClusterId(clusterId)) found.push({ target, namespace, clusterId });
    }
    after = Contents.at(-1)?.Key;
    if (!IsTruncated || after === undefined) return found;
  }
}

async function remove({ s3, bucket }: Bucket, key: string, version: string): Promise<boolean> {
  try {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, IfMatch: version }));
    return true;
  } catch (error) {
    // 412: changed since. 409: at this moment. 404: gone already.
    if ([404, 409, 412].includes(awsStatus(error) ?? 0)) return false;
    throw fromAwsError(error, { action: 's3:DeleteObject', resource: `s3://${bucket}/${key}` });
  }
}

async function ask<T>(action: string, bucket: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromAwsError(error, { action, resource: `s3://${bucket}` });
  }
}

function keyOf({ target, namespace, clusterId }: SessionRef): string {
  return `sessions/${target}/${namespace}/${clusterId}.json`;
}

function parseLease(text: string, ref: SessionRef): SessionLease {
  try {
    return lease.parse(JSON.parse(text));
  } catch (cause) {
    throw new DispatchError('Internal', `${keyOf(ref)} is no lease of version 1`, { cause });
  }
}
