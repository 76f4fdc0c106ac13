import * as z from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import type { PinnedJar } from '../../job/job.ts';

/** The classes that Flink loads when it starts, as a JVM of one image maps them (class-data sharing). */
export interface ClassArchive extends PinnedJar {
  /** Of the JVM's release and of the jars on Flink's class path: 64 hex digits, as `SUM_OF_CLASS_PATH` says them. */
  readonly classPath: string;
  /** `17.0.15`. */
  readonly java: string;
  /** `sha256:…` of the image that it was recorded in, where the node told it. */
  readonly imageDigest?: string;
}

/** Whose archive: what was recorded in one tenant's image is never mapped in another one's. */
export interface ArchiveScope {
  readonly tenant?: string;
  /** Its nodes may have another processor than those of another target, and its registry other images. */
  readonly target: string;
  /** As the job names it. */
  readonly image: string;
}

/** Changed when an archive of before would not do any more. */
const FORMAT = 1;

export function archiveId({ tenant, target, image }: ArchiveScope): string {
  return sha256Hex(JSON.stringify([FORMAT, tenant ?? null, target, image]));
}

const sum = z.string().regex(/^[0-9a-f]{64}$/);
/** More than the classes of any Flink: what a pod says of itself is not taken on trust. */
const MAX_ARCHIVE_BYTES = 1024 ** 3;
const size = z.int().positive().max(MAX_ARCHIVE_BYTES);
const java = z.string().regex(/^[\w.+-]{1,40}$/);

export const classArchive = z.looseObject({
  bucket: z.string(),
  key: z.string(),
  sha256: sum,
  size,
  classPath: sum,
  java,
  imageDigest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .exactOptional(),
}) satisfies z.ZodType<ClassArchive>;

/** What the pod that records says when it is done. */
export const recording = z.union([
  z.strictObject({ error: z.string().max(1000) }),
  z.strictObject({ sha256: sum, size, classPath: sum, java }),
]);
