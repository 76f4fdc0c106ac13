import { DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3';
import { describeError } from '../../../../lib/core/errors.ts';
import { pathStyle } from '../../../../lib/http/path-style.ts';
import { stateStorageOf, type DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { s3StateStorages } from '../../../../lib/state/s3-state-storage.ts';
import type { Io } from '../terminal/io.ts';
import { failed, ok, unknown, type Check, type Seen } from './check.ts';

/** Nothing has this name: to delete it deletes nothing, and needs the right to delete. */
const NOBODY = 'flink-dispatch-doctor';

/**
 * Whether the state that streams keep can be read and deleted: without it an upgrade cannot see what a lost JobManager left,
 * and snapshots are kept for ever. One check for each prefix of `allow.stateStorage`.
 */
export async function examineState(
  deployment: DispatchConfig,
  { io, probes }: { readonly io: Io; readonly probes: boolean },
): Promise<readonly Check[]> {
  const allowed = stateStorageOf(deployment);
  if (allowed.length === 0) return [];
  const s3 = new S3Client(pathStyle(io.env));
  const storages = s3StateStorages({ s3, allowed });
  const checks = await Promise.all(
    allowed.map(async (prefix) => {
      const of = (name: string, seen: Seen): Check => ({ target: prefix, name, ...seen });
      return [
        of('read state', await reading(() => storages(prefix).savepoints(prefix))),
        of('delete state', probes ? await deleting(s3, prefix) : unknown('was not tried', 'doctor --probe tries it')),
      ];
    }),
  );
  return checks.flat();
}

async function reading(read: () => Promise<readonly unknown[]>): Promise<Seen> {
  try {
    await read();
    return ok('can be listed');
  } catch (error) {
    const fix = 'allow s3:ListBucket on the bucket with this prefix, and s3:GetObject below it, to the functions’ role';
    return failed(describeError(error), fix);
  }
}

async function deleting(s3: S3Client, prefix: string): Promise<Seen> {
  const [, bucket = '', key = ''] = /^s3[ap]?:\/\/([^/]+)\/?(.*)$/i.exec(prefix) ?? [];
  const Key = [key.replace(/\/+$/, ''), NOBODY].filter((part) => part !== '').join('/');
  const fix = 'allow s3:DeleteObject below this prefix to the functions’ role: old snapshots stay without it';
  try {
    const input = { Bucket: bucket, Delete: { Objects: [{ Key }], Quiet: true } };
    const { Errors: [error] = [] } = await s3.send(new DeleteObjectsCommand(input));
    return error === undefined ? ok('may be deleted') : failed(error.Message ?? error.Code ?? 'refused', fix);
  } catch (error) {
    return failed(describeError(error), fix);
  }
}
