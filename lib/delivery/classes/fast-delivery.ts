import type { V1Container, V1EnvVar } from '@kubernetes/client-node';
import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import type { Log } from '../../core/log.ts';
import type { ResolvedJob } from '../../job/job.ts';
import type { ClusterRef } from '../../kubernetes/cluster/port.ts';
import type { Deliver, Delivery, FastStart, PodParts } from '../delivery.ts';
import type { SignUrl } from '../signed-urls.ts';
import type { ClassArchive } from './archive.ts';
import type { ClassArchives } from './archives.ts';
import { FETCH_COMMAND } from './fetch-script.ts';
import { ARCHIVES, fastFlags, fastOptions } from './jvm-flags.ts';

export interface FastDeps {
  readonly archives: Pick<ClassArchives, 'find'>;
  readonly sign: SignUrl;
  readonly log?: Pick<Log, 'warn'>;
}

/** Of the container that fetches the archive. */
const CLASSES_CONTAINER = 'flink-dispatch-classes';
const VOLUME = 'flink-dispatch-classes';
const URL_KEY = 'classes';
/** TaskManagers that come later start without it, where no Secret is renewed. */
const URL_TTL: Duration = 6 * 60 * 60_000;

/**
 * What a job with `fastStart` gets beside its jar: flags for its JVMs, and where there is one for its image, the archive of
 * Flink's classes, which an init container fetches. Nothing of it can fail a start.
 */
export function fastDelivery(deliver: Deliver, deps: FastDeps): Deliver {
  return async (job, ref, context = {}) => {
    const delivery = await deliver(job, ref, context);
    if (job.fastStart === undefined) return delivery;
    const archive = context.launched === undefined ? await find(job, context.tenant, deps) : context.launched.archive;
    const fetched = archive && (await fetchedInto(delivery, { archive, job, ref }, deps));
    return withFlags(fetched ?? delivery, job, archive);
  };
}

async function find(job: ResolvedJob, tenant: string | undefined, deps: FastDeps): Promise<ClassArchive | undefined> {
  const image = job.options['kubernetes.container.image.ref'] ?? '';
  try {
    return await deps.archives.find({ target: job.target, image, ...defined({ tenant }) });
  } catch (error) {
    deps.log?.warn('no class archive was looked up', { target: job.target, image, error });
    return undefined;
  }
}

function withFlags(delivery: Delivery, job: ResolvedJob, archive: ClassArchive | undefined): Delivery {
  const flags = fastFlags(job, archive !== undefined);
  const fastStart: FastStart = { ...defined({ archive }), ...flags };
  return { ...delivery, options: { ...delivery.options, ...fastOptions(job, flags) }, fastStart };
}

interface Fetched {
  readonly archive: ClassArchive;
  readonly job: ResolvedJob;
  readonly ref: ClusterRef;
}

async function fetchedInto(delivery: Delivery, what: Fetched, { sign }: FastDeps): Promise<Delivery> {
  const url = await sign(what.archive, URL_TTL);
  const { secret } = delivery;
  // Where pods read their URLs from a Secret, this one is in it, and is renewed with it.
  const variable: V1EnvVar =
    secret === undefined
      ? { name: 'JAR_URL', value: url }
      : { name: 'JAR_URL', valueFrom: { secretKeyRef: { name: secret.name, key: URL_KEY, optional: true } } };
  const parts = (component: 'jobmanager' | 'taskmanager'): PodParts => ({
    initContainers: [fetcher(what, component, variable, delivery)],
    volumes: [{ name: VOLUME, emptyDir: {} }],
    mounts: [{ name: VOLUME, mountPath: ARCHIVES, readOnly: true }],
  });
  const [jobManager, taskManager] = [parts('jobmanager'), parts('taskmanager')];
  return {
    ...delivery,
    jobManager: delivery.jobManager === undefined ? jobManager : both(delivery.jobManager, jobManager),
    taskManager,
    ...(secret && { secret: { ...secret, data: { ...secret.data, [URL_KEY]: url } } }),
  };
}

function both(a: PodParts, b: PodParts): PodParts {
  return {
    initContainers: [...a.initContainers, ...b.initContainers],
    volumes: [...a.volumes, ...b.volumes],
    mounts: [...a.mounts, ...b.mounts],
  };
}

/** In the image whose classes they are: it compares them, unless the job names the image by the digest that was recorded. */
function fetcher(
  { archive, job: { options } }: Fetched,
  component: 'jobmanager' | 'taskmanager',
  url: V1EnvVar,
  delivery: Delivery,
): V1Container {
  const image = delivery.image ?? options['kubernetes.container.image.ref'];
  const cores = coresOf(options, component);
  const isSame = archive.imageDigest !== undefined && image?.endsWith(`@${archive.imageDigest}`) === true;
  return {
    name: CLASSES_CONTAINER,
    ...defined({ image }),
    imagePullPolicy: options['kubernetes.container.image.pull-policy'] ?? 'IfNotPresent',
    command: [...FETCH_COMMAND],
    env: [
      url,
      { name: 'JAR_FILE', value: `${ARCHIVES}/classes.tar` },
      { name: 'JAR_SHA256', value: archive.sha256 },
      { name: 'CLASS_PATH_SUM', value: isSame ? '' : archive.classPath },
    ],
    resources: {
      requests: { cpu: String(Math.min(0.05, cores)), memory: '64Mi' },
      limits: { cpu: String(cores), memory: '256Mi' },
    },
    volumeMounts: [{ name: VOLUME, mountPath: ARCHIVES }],
  };
}

/** No more than Flink's own container may have, so that the pod may have no more than without it. */
function coresOf(options: ResolvedJob['options'], component: string): number {
  const [amount, factor] = ['amount', 'limit-factor'].map((name) =>
    Number(options[`kubernetes.${component}.cpu.${name}`] ?? '1'),
  );
  const most = (amount ?? 1) * (factor ?? 1);
  return most > 0 ? Math.min(1, most) : 1;
}
