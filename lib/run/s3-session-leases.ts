import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';
import type { SessionLease, SessionLeases, SessionRef } from './session-lease.ts';

const instant = z.number();

const lease = z.looseObject({
  version: z.literal(1),
  target: z.string(),
  namespace: z.string(),
  clusterId: z.string(),
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
  };
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
