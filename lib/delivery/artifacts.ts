import { DispatchError } from '../core/errors.ts';
import { matchesAny } from '../job/glob.ts';
import type { FlinkOptions, ResolvedJob } from '../job/job.ts';
import { jarName } from '../job/pin.ts';

const OPTION = 'user.artifacts.artifact-list';
const FIELD = { field: `flinkConfiguration["${OPTION}"]` };

export interface Artifact {
  readonly from: string;
  readonly to: string;
}

export interface Artifacts {
  readonly files: readonly Artifact[];
  /** The option with the files where they are in the image. */
  options(home: string): FlinkOptions;
}

/**
 * The job's dependencies in S3, by the option of which Flink fetches them: they are bundled into `usrlib`. What is
 * elsewhere stays Flink's to fetch.
 * @throws DispatchError `NotAllowed` for a bucket from which no jar may come
 */
export function artifactsOf({ options }: Pick<ResolvedJob, 'options'>, jarBuckets: readonly string[]): Artifacts {
  const all = (options[OPTION] ?? '').split(';').map((uri) => uri.trim());
  const files = all.filter((uri) => uri.startsWith('s3://')).map((from) => artifact(from, jarBuckets));
  return {
    files,
    options(home) {
      if (files.length === 0) return {};
      const inImage = new Map(files.map(({ from, to }) => [from, `local://${home}/${to}`]));
      return { [OPTION]: all.map((uri) => inImage.get(uri) ?? uri).join(';') };
    },
  };
}

function artifact(from: string, jarBuckets: readonly string[]): Artifact {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(from) ?? [];
  if (key === '') throw new DispatchError('InvalidSpec', `${OPTION} must have s3://bucket/key, not ${from}`, FIELD);
  if (matchesAny(jarBuckets, bucket)) return { from, to: `usrlib/${jarName(key)}` };
  throw new DispatchError('NotAllowed', `${OPTION}: the bucket ${bucket} is not allowed (allow.jarBuckets)`, FIELD);
}
