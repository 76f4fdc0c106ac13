import { isRunId, sha256Hex } from '../../core/ids.ts';
import type { Contender, LockName } from './locks.ts';
import { listMarkers, putEmpty, removeMarker } from './s3-markers.ts';
import type { Bucket } from './s3-objects.ts';

/** Milliseconds since 1970 have 13 digits until the year 2286. */
const DIGITS = 13;

/** One empty object for each run that waits: `lock-queues/[<tenant>/]<sha256 of the key>/<time>~<run>`. */
export function joinLine(bucket: Bucket, name: LockName, contender: Contender): Promise<void> {
  return putEmpty(bucket, placeOf(name, contender));
}

/** Nothing happens when it has no place. */
export function leaveLine(bucket: Bucket, name: LockName, contender: Contender): Promise<void> {
  return removeMarker(bucket, placeOf(name, contender));
}

export async function firstInLine(bucket: Bucket, name: LockName): Promise<Contender | undefined> {
  return (await line(bucket, name, 1))[0];
}

/** In the order of their turns. */
export async function line(bucket: Bucket, name: LockName, limit = 1000): Promise<readonly Contender[]> {
  const queue = queueOf(name);
  const places = await listMarkers(bucket, queue, { after: undefined, limit });
  return places.flatMap(({ Key = '' }) => contenderIn(Key.slice(queue.length)));
}

function contenderIn(place: string): readonly Contender[] {
  const [time = '', runId = ''] = place.split('~');
  return isRunId(runId) ? [{ runId, since: Number(time) }] : [];
}

function queueOf({ tenant, key }: LockName): string {
  return `lock-queues/${tenant === undefined ? '' : `${tenant}/`}${sha256Hex(key)}/`;
}

function placeOf(name: LockName, { since, runId }: Contender): string {
  return `${queueOf(name)}${String(since).padStart(DIGITS, '0')}~${runId}`;
}
