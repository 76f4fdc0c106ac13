import { convertToString } from '../flink/config/values.ts';
import type { FlinkOptions, ResolvedJob } from '../job/job.ts';
import { ARTIFACTS, artifactUris, namedArtifacts, s3Object } from '../job/jar/named-objects.ts';
import { jarName } from '../job/jar/pin.ts';

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
 * elsewhere stays Flink's to fetch. Where they may come from was judged when the run was accepted.
 */
export function artifactsOf({ options }: Pick<ResolvedJob, 'options'>): Artifacts {
  const files = namedArtifacts(options).flatMap((named): Artifact[] => {
    const object = s3Object(named);
    return object === undefined ? [] : [{ from: named.uri, to: `usrlib/${jarName(object.key)}` }];
  });
  return {
    files,
    options(home) {
      if (files.length === 0) return {};
      const inImage = new Map(files.map(({ from, to }) => [from, `local://${home}/${to}`]));
      const uris = artifactUris(options).map((uri) => inImage.get(uri) ?? uri);
      return { [ARTIFACTS]: convertToString(uris, false) };
    },
  };
}
