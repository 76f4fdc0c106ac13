import type { V1Container } from '@kubernetes/client-node';
import type { ClusterRef } from '../kubernetes/cluster/port.ts';
import { JAR_CONTAINER } from '../kubernetes/cluster/delivered-jar.ts';
import type { TargetConfig } from '../job/config/dispatch-config.ts';
import type { ResolvedJob } from '../job/job.ts';
import { jarName } from '../job/jar/pin.ts';
import type { DeliveryDeps } from './delivery-deps.ts';
import type { Deliver, Delivery } from './delivery.ts';
import { DOWNLOAD } from './download-script.ts';
import { renewalAfter } from './signed-urls.ts';

export type MountConfig = Extract<TargetConfig['jarDelivery'], { kind: 'mount' }>;

const USRLIB = '/opt/flink/usrlib';
const VOLUME = 'flink-dispatch-jar';
const FOLDER = '/flink-dispatch';
const URL_KEY = 'url';

/**
 * An init container of the JobManager downloads the jar with a signed URL, checks its sum and leaves it in `usrlib`,
 * beside what the image has there. The URL is in a Secret of the cluster, which the follower renews: a pod that is made
 * a week later reads one that is good. TaskManagers need none of it: they get the jar from the JobManager's blob server.
 */
export function mountDelivery(config: MountConfig, deps: DeliveryDeps): Deliver {
  return async (job, ref) => {
    const { jar } = job;
    const object = jar.pinned ?? jar.s3;
    if (object === undefined && jar.uri.startsWith('local:')) return { jarUri: jar.uri };
    const url = object === undefined ? jar.uri : await deps.sign(object, config.urlTtl);
    const delivery = mounted(job, ref, config);
    return {
      ...delivery,
      secret: { name: secretName(ref), data: { [URL_KEY]: url } },
      ...(object === undefined ? {} : { renewAt: deps.clock.now() + renewalAfter(config.urlTtl) }),
    };
  };
}

function mounted(job: ResolvedJob, ref: ClusterRef, config: MountConfig): Delivery {
  const { jar } = job;
  const name = jarName(jar.pinned?.key ?? jar.s3?.key ?? new URL(jar.uri).pathname);
  return {
    jarUri: `local://${USRLIB}/${name}`,
    jobManager: {
      initContainers: [downloader(job, ref, { name, image: config.image })],
      volumes: [{ name: VOLUME, emptyDir: {} }],
      mounts: [{ name: VOLUME, mountPath: `${USRLIB}/${name}`, subPath: name, readOnly: true }],
    },
  };
}

function secretName({ clusterId }: ClusterRef): string {
  return `flink-jar-${clusterId}`;
}

interface Download {
  readonly name: string;
  readonly image: string | undefined;
}

/** No value is part of the script: it reads them from its environment. */
function downloader({ jar, options }: ResolvedJob, ref: ClusterRef, { name, image }: Download): V1Container {
  const own = options['kubernetes.container.image.ref'];
  return {
    name: JAR_CONTAINER,
    ...((image ?? own) === undefined ? {} : { image: image ?? own }),
    imagePullPolicy: options['kubernetes.container.image.pull-policy'] ?? 'IfNotPresent',
    command: ['/bin/sh', '-c', DOWNLOAD],
    env: [
      { name: 'JAR_URL', valueFrom: { secretKeyRef: { name: secretName(ref), key: URL_KEY } } },
      { name: 'JAR_FILE', value: `${FOLDER}/${name}` },
      { name: 'JAR_SHA256', value: jar.pinned?.sha256 ?? jar.sha256 ?? '' },
    ],
    // Less than Flink's own container asks for, so that the pod asks for no more than without it.
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    volumeMounts: [{ name: VOLUME, mountPath: FOLDER }],
  };
}
