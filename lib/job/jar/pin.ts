import { sha256Hex } from '../../core/ids.ts';
import type { Jar, PinnedJar } from '../job.ts';
import type { ObjectRef } from './objects.ts';

/**
 * Keeps a jar's bytes for the life of its run: whatever becomes of the object that it came from, `pinned` names them.
 * A jar of the image or of a web server stays as it is. Repeatable, and cheap for bytes that are kept already.
 * @throws DispatchError `JarNotFound`, `JarAccessDenied`, `JarUnreadable`, `PermissionDenied`, `StorageUnavailable`
 */
export type PinJar = (jar: Jar) => Promise<Jar>;

/** Renews what would expire while a run still needs it. @throws DispatchError as `PinJar` */
export type KeepJar = (pinned: PinnedJar) => Promise<void>;

/** Where in the ledger bucket jars are kept: everything below expires by the bucket's lifecycle rules. */
export const PINNED_JARS = 'jars/sha256/';
/** Copies on their way to the key of their content; a day old at most. */
export const INCOMING_JARS = 'jars/incoming/';
/** The content of source objects, so that the second run of the same upload copies nothing. */
export const KNOWN_JARS = 'jars/known/';

/** Lifecycle rules remove kept jars after 90 days: what is used after 30 is renewed. */
export const RENEW_AFTER_DAYS = 30;

/** S3 copies at most this much at once; bytes. */
export const MAX_JAR_BYTES = 5 * 1024 ** 3;

/** By its content; the name stays readable for whoever looks at a pod. */
export function pinnedKey(sha256: string, sourceKey: string): string {
  return `${PINNED_JARS}${sha256}/${jarName(sourceKey)}`;
}

/** A file name that is the same in a URL, a path and a shell: letters, digits, `.`, `_` and `-`, ending as its kind. */
export function jarName(key: string): string {
  const last = key.split('/').at(-1) ?? '';
  const ending = /\.(?:py|sql|zip)$/i.exec(last)?.[0].toLowerCase() ?? '.jar';
  const own = last.replace(/\.(?:jar|py|sql|zip)$/i, '');
  const stem = own
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+/, '')
    .slice(0, 100);
  if (stem !== '') return stem + ending;
  // Two files without such a letter are two files still.
  return `job${/[^._-]/.test(own) ? `-${sha256Hex(own).slice(0, 8)}` : ''}${ending}`;
}

/** Names one content of one object: another upload to the same key has another. */
export function sourceId({ bucket, key, versionId, eTag }: ObjectRef): string {
  return sha256Hex([bucket, key, versionId ?? '', eTag ?? ''].join('\n'));
}
