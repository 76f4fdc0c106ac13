import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { parseObjectText, TEXT_LIMITS } from '../../core/yaml.ts';
import type { RunSource } from '../../trigger/request.ts';
import { mergeLayers } from './layers.ts';
import { parseManifestOrSpec } from './manifest.ts';
import type { ObjectStore } from '../jar/objects.ts';
import { decodeMetadata } from '../../core/encoded-words.ts';
import { nearest } from '../../core/nearest.ts';
import { parseWith } from '../../core/schema.ts';
import type { JobSpec } from './spec.ts';

export type UploadSource = Extract<RunSource, { kind: 'jar-upload' }>;

export interface UploadSpec {
  readonly spec?: JobSpec;
  readonly storedJob?: string;
  /** `metadata`, or the sidecar's key. */
  readonly from?: string;
}

/** User metadata of the jar that speaks of its job; any other name that begins with `flink-` is a mistake. */
const metadataSchema = z.strictObject({
  /** A whole spec, JSON or YAML. */
  'flink-job': z.string().optional(),
  'flink-stored-job': z.string().optional(),
  'flink-name': z.string().optional(),
  'flink-version': z.string().optional(),
  'flink-target': z.string().optional(),
  'flink-entry-class': z.string().optional(),
  /** A JSON list of strings. */
  'flink-args': z.string().optional(),
  'flink-parallelism': z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number')
    .optional(),
});

/**
 * The spec that came with an uploaded jar: its metadata, else `<key>.job.yaml`, else `job.yaml` in the same prefix.
 * Empty when there is none: rules and defaults decide alone.
 * @throws DispatchError `MalformedRequest`, `InvalidSpec`, and those of the store
 */
export async function findUploadSpec(objects: ObjectStore, source: UploadSource): Promise<UploadSpec> {
  const { bucket, key, versionId, eTag } = source;
  const ref = {
    bucket,
    key,
    ...defined({ versionId, eTag }),
  };
  const [own, shared] = sidecarKeys(key);
  const [head, ownText, sharedText] = await Promise.all([
    objects.head(ref),
    objects.text({ bucket, key: own }, TEXT_LIMITS.bytes),
    objects.text({ bucket, key: shared }, TEXT_LIMITS.bytes),
  ]);
  return (
    fromMetadata(head.metadata) ?? fromSidecar(bucket, own, ownText) ?? fromSidecar(bucket, shared, sharedText) ?? {}
  );
}

/** Beside `jobs/a.jar`: `jobs/a.jar.job.yaml`, then `jobs/job.yaml`. */
function sidecarKeys(key: string): readonly [string, string] {
  return [`${key}.job.yaml`, `${key.slice(0, key.lastIndexOf('/') + 1)}job.yaml`];
}

function fromSidecar(bucket: string, key: string, text: string | undefined): UploadSpec | undefined {
  if (text === undefined) return undefined;
  const { runJob, spec } = splitStored(parseObjectText(text, `s3://${bucket}/${key}`));
  return { spec: parseManifestOrSpec(spec), from: key, ...defined({ storedJob: runJob }) };
}

function splitStored(document: Record<string, unknown>): { runJob?: string; spec: Record<string, unknown> } {
  const { runJob, ...spec } = document;
  if (runJob === undefined) return { spec };
  if (typeof runJob !== 'string')
    throw new DispatchError('InvalidSpec', "runJob must be a stored job's name", { field: 'runJob' });
  return { runJob, spec };
}

function fromMetadata(metadata: Readonly<Record<string, string>>): UploadSpec | undefined {
  const own = Object.entries(metadata)
    .filter(([name]) => name.startsWith('flink-'))
    .map(([name, value]) => [name, decodeMetadata(value)] as const);
  if (own.length === 0) return undefined;
  const known = Object.keys(metadataSchema.shape);
  const wrong = own.map(([name]) => name).find((name) => !known.includes(name));
  if (wrong !== undefined) {
    const near = nearest(wrong, known);
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
    throw new DispatchError('InvalidSpec', `x-amz-meta-${wrong} is not known: ${hint}`, {
      field: `x-amz-meta-${wrong}`,
    });
  }
  const meta = parseWith(metadataSchema, Object.fromEntries(own), 'x-amz-meta');
  const storedJob = meta['flink-stored-job'];
  const whole = meta['flink-job'];
  const base = whole === undefined ? {} : parseManifestOrSpec(parseObjectText(whole, 'x-amz-meta-flink-job'));
  return {
    spec: mergeLayers([base, simpleSpec(meta)]),
    from: 'metadata',
    ...defined({ storedJob }),
  };
}

function simpleSpec(meta: z.output<typeof metadataSchema>): JobSpec {
  const parallelism = meta['flink-parallelism'];
  const args = meta['flink-args'];
  const job = {
    entryClass: meta['flink-entry-class'],
    args: args === undefined ? undefined : parseArgs(args),
    parallelism: parallelism === undefined ? undefined : Number(parallelism),
  };
  const spec = { name: meta['flink-name'], flinkVersion: meta['flink-version'], target: meta['flink-target'], job };
  return parseManifestOrSpec(JSON.parse(JSON.stringify(spec)));
}

function parseArgs(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DispatchError('InvalidSpec', 'x-amz-meta-flink-args must be a JSON list of strings', {
      field: 'x-amz-meta-flink-args',
    });
  }
}
