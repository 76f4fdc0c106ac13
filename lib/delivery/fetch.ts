import { DispatchError } from '../core/errors.ts';
import type { TargetConfig } from '../job/config/dispatch-config.ts';
import type { FlinkOptions, ResolvedJob } from '../job/job.ts';
import type { ObjectRef } from '../job/jar/objects.ts';
import { programKind } from '../job/jar/program.ts';
import type { DeliveryDeps } from './delivery-deps.ts';
import type { Deliver } from './delivery.ts';
import { renewalAfter } from './signed-urls.ts';

export type FetchConfig = Extract<TargetConfig['jarDelivery'], { kind: 'fetch' }>;

/**
 * Flink's JobManager fetches the jar by itself: with a signed URL, or from S3 with a plugin and the pod's own rights. It
 * keeps what it has fetched for the life of its pod, and reads `pipeline.jars` when it starts, which is why the follower
 * renews the ConfigMap.
 */
export function fetchDelivery(config: FetchConfig, { sign, clock }: DeliveryDeps): Deliver {
  return async (job) => {
    const { jar } = job;
    const object = jar.pinned ?? jar.s3;
    const ofImage = object === undefined && jar.uri.startsWith('local:');
    const readFromS3 = object !== undefined && config.s3Plugin !== undefined;
    if (programKind(jar.uri) === 'python' && !ofImage && !readFromS3) throw notFetched(jar.uri);
    if (object === undefined && jar.sha256 !== undefined) throw notChecked(jar.uri);
    if (object === undefined) return { jarUri: jar.uri };
    if (config.s3Plugin !== undefined) {
      return { jarUri: s3Uri(object), options: withPlugin(job, config.s3Plugin), renewAt: clock.now() + DAY };
    }
    return { jarUri: await sign(object, config.urlTtl), renewAt: clock.now() + renewalAfter(config.urlTtl) };
  };
}

/** KubernetesApplicationClusterEntrypoint: for Python it fetches neither `pipeline.jars` nor artifacts. */
function notFetched(uri: string): DispatchError {
  const message = `${uri}: Flink fetches no Python program from a URL: use a target whose jarDelivery is mount or bundle, or fetch with s3Plugin`;
  return new DispatchError('InvalidSpec', message, { field: 'job.jarURI' });
}

function notChecked(uri: string): DispatchError {
  const message = `job.jarSha256: Flink does not check what it fetches from ${uri}: use s3://, or a target whose jarDelivery is mount`;
  return new DispatchError('InvalidSpec', message, { field: 'job.jarSha256' });
}

/** How often the copy is looked after that Flink reads from S3. */
const DAY = 24 * 60 * 60_000;

/** A URI of Java's: every character that is more than a name or a `/` is percent-encoded. */
function s3Uri({ bucket, key }: ObjectRef): string {
  return `s3://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** Read by the entry point of Flink's images: jars of `opt/` to use as plugins. */
const PLUGINS = 'containerized.master.env.ENABLE_BUILT_IN_PLUGINS';

function withPlugin({ options }: ResolvedJob, plugin: string): FlinkOptions {
  const own = options[PLUGINS];
  if (own?.includes('flink-s3-fs-') === true) return {};
  const name = `flink-s3-fs-${plugin}-${versionIn(options['kubernetes.container.image.ref'] ?? '')}.jar`;
  return { [PLUGINS]: own === undefined ? name : `${own};${name}` };
}

/** The plugin's file has Flink's whole version, which only the image's tag tells. */
function versionIn(image: string): string {
  const version = /:(?:[\w.-]*[-_])?v?(\d+\.\d+\.\d+)(?![.\d])[\w.-]*(?:@|$)/.exec(image)?.[1];
  if (version !== undefined) return version;
  const message = `image '${image}' names no Flink version such as 2.3.0, so the jar of its S3 plugin is not known: set ${PLUGINS}`;
  throw new DispatchError('InvalidConfiguration', message, { field: `flinkConfiguration["${PLUGINS}"]` });
}
