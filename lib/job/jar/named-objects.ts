import { posix } from 'node:path';
import { DispatchError } from '../../core/errors.ts';
import { FlinkConfiguration } from '../../flink/config/configuration.ts';
import { FLINK } from '../../flink/options/flink.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import type { FlinkOptions } from '../job.ts';
import { matchesAny } from '../policy/glob.ts';

/** Flink's option for a job's dependencies. */
export const ARTIFACTS = FLINK.artifactList.key;

/** The field of a spec that names an object, and what it says. */
export interface NamedObject {
  readonly field: string;
  readonly uri: string;
}

export interface S3Object {
  readonly bucket: string;
  readonly key: string;
}

/** As Flink reads the option: separated by semicolons, or a list of YAML. */
export function artifactUris(options: FlinkOptions): readonly string[] {
  return new FlinkConfiguration(true, Object.entries(options)).getOptional(FLINK.artifactList) ?? [];
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

/**
 * What a URI may name in S3, by every scheme of Flink's filesystems: the key as it is written, which S3 knows, and the key
 * that org.apache.flink.core.fs.Path makes of it.
 */
export function s3Objects({ field, uri }: NamedObject): readonly S3Object[] {
  const object = s3Object({ field, uri: uri.replace(/^s3[anp]:/i, 's3:') });
  if (object === undefined) return [];
  const { bucket, key } = object;
  return [object, { bucket, key: posix.normalize(`/${key.replaceAll('\\', '/')}`).slice(1) }];
}

/** The functions read them with their own rights: they come from buckets of jars. @throws DispatchError `NotAllowed` */
export function checkBucket({ field }: NamedObject, { bucket }: S3Object, { jarBuckets }: AllowList): void {
  if (matchesAny(jarBuckets, bucket)) return;
  throw new DispatchError('NotAllowed', `${field}: the bucket ${bucket} is not allowed (allow.jarBuckets)`, { field });
}
