import type { Instant } from '../../core/clock.ts';
import { DispatchError } from '../../core/errors.ts';

/**
 * A signed URL that has ended already: no pod could fetch it.
 * @throws DispatchError `JarAccessDenied`
 */
export function checkUrlEnd(uri: string, now: Instant): void {
  const end = uri.startsWith('https:') ? urlEnd(new URL(uri).searchParams) : undefined;
  if (end === undefined || end > now) return;
  const message = `job.jarURI: the signed URL ended at ${new Date(end).toISOString()}: sign a new one, or name the jar as s3://`;
  throw new DispatchError('JarAccessDenied', message, { field: 'job.jarURI' });
}

/** AWS' Signature Version 4 and Google's alike say when and for how many seconds; others say `Expires`, an epoch. */
function urlEnd(query: URLSearchParams): Instant | undefined {
  for (const [begun, seconds] of [
    ['X-Amz-Date', 'X-Amz-Expires'],
    ['X-Goog-Date', 'X-Goog-Expires'],
  ] as const) {
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get(begun) ?? '') ?? [];
    const ttl = Number(query.get(seconds) ?? NaN);
    const from = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    if (Number.isFinite(from) && Number.isFinite(ttl)) return from + ttl * 1000;
  }
  const epoch = query.get('Expires');
  return epoch !== null && /^\d{9,11}$/.test(epoch) ? Number(epoch) * 1000 : undefined;
}
