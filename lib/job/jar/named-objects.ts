import { DispatchError } from '../../core/errors.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import type { FlinkOptions } from '../job.ts';
import { matchesAny } from '../policy/glob.ts';

/** Flink's option for a job's dependencies. */
export const ARTIFACTS = 'user.artifacts.artifact-list';

/** The field of a spec that names an object, and what it says. */
export interface NamedObject {
  readonly field: string;
  readonly uri: string;
}

export interface S3Object {
  readonly bucket: string;
  readonly key: string;
}

export function artifactUris(options: FlinkOptions): readonly string[] {
  return (options[ARTIFACTS] ?? '').split(';').map((uri) => uri.trim());
}

export function namedArtifacts(options: FlinkOptions): readonly NamedObject[] {
  return artifactUris(options).map((uri) => ({ field: `flinkConfiguration["${ARTIFACTS}"]`, uri }));
}

/** @throws DispatchError `InvalidSpec` for a URI of S3 that names no object */
export function s3Object({ field, uri }: NamedObject): S3Object | undefined {
  if (!/^s3:/i.test(uri)) return undefined;
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/is.exec(uri) ?? [];
  if (bucket !== undefined && key !== undefined) return { bucket, key };
  throw new DispatchError('InvalidSpec', `${field} must have s3://bucket/key, not ${uri}`, { field });
}

/** The functions read them with their own rights: they come from buckets of jars. @throws DispatchError `NotAllowed` */
export function checkBucket({ field }: NamedObject, { bucket }: S3Object, { jarBuckets }: AllowList): void {
  if (matchesAny(jarBuckets, bucket)) return;
  throw new DispatchError('NotAllowed', `${field}: the bucket ${bucket} is not allowed (allow.jarBuckets)`, { field });
}
