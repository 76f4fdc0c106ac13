import type { V1Container, V1Deployment, V1EnvVar, V1PodSpec } from '@kubernetes/client-node';
import type { ClusterId } from '../../core/ids.ts';
import type { FlinkCluster } from '../../flink/cluster.ts';
import { builtInConfiguration } from '../../flink/config/built-in.ts';
import { ownedByDeployment } from '../../flink/native/build-cluster.ts';
import { MAIN_CONTAINER } from '../../flink/native/flink-pod.ts';
import { flinkRules } from '../../flink/version.ts';
import { secretFor } from '../with-delivery.ts';
import { RECORD } from './record-script.ts';

export interface UploadUrls {
  readonly archive: string;
  readonly report: string;
}

/** Flink's own volumes, whose ConfigMaps a pod that records does not have. */
const OF_FLINK = /^(flink-config-volume|pod-template-volume|hadoop-config-volume)$/;

/**
 * In place of a cluster, one pod that records: on the same nodes, by the same account and with the same image as the
 * cluster's JobManager.
 */
export function warmUpCluster(cluster: FlinkCluster, flinkVersion: string, urls: UploadUrls): FlinkCluster {
  const { deployment, clusterId, namespace } = cluster;
  const template = deployment.spec?.template;
  const secret = secretFor(cluster, { name: `flink-classes-${clusterId}`, data: { ...urls } });
  const recording: V1Deployment = {
    ...deployment,
    spec: {
      selector: { matchLabels: {} },
      ...deployment.spec,
      replicas: 1,
      // A second pod would record the same.
      strategy: { type: 'Recreate' },
      template: {
        ...template,
        spec: podOf(template?.spec, { clusterId, namespace, flinkVersion, secret: secret.metadata?.name ?? '' }),
      },
    },
  };
  return { ...cluster, deployment: recording, dependents: [ownedByDeployment(secret, clusterId)] };
}

interface Recorder {
  readonly clusterId: ClusterId;
  readonly namespace: string;
  readonly flinkVersion: string;
  readonly secret: string;
}

function podOf(spec: V1PodSpec | undefined, recorder: Recorder): V1PodSpec {
  const main = spec?.containers.find(({ name }) => name === MAIN_CONTAINER) ?? { name: MAIN_CONTAINER };
  return {
    ...spec,
    terminationGracePeriodSeconds: 1,
    volumes: (spec?.volumes ?? []).filter(({ name }) => !OF_FLINK.test(name)),
    containers: [recording(main, spec?.serviceAccountName ?? 'default', recorder)],
  };
}

/** A JobManager and a TaskManager of a gigabyte each, or the JVM that dumps. */
function recording(main: V1Container, account: string, recorder: Recorder): V1Container {
  const { clusterId, namespace, flinkVersion, secret } = recorder;
  const [, javaOptions] =
    builtInConfiguration(flinkRules(flinkVersion)).find(([key]) => key === 'env.java.opts.all') ?? [];
  const ofSecret = (name: string, key: string): V1EnvVar => ({
    name,
    valueFrom: { secretKeyRef: { name: secret, key } },
  });
  const { image, imagePullPolicy, securityContext, volumeMounts = [], env = [] } = main;
  return {
    name: MAIN_CONTAINER,
    ...(image === undefined ? {} : { image }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(securityContext === undefined ? {} : { securityContext }),
    command: ['/bin/bash', '-c', RECORD],
    env: [
      ...env,
      ofSecret('ARCHIVE_URL', 'archive'),
      ofSecret('REPORT_URL', 'report'),
      { name: 'JAVA_OPTIONS', value: String(javaOptions) },
      { name: 'CLUSTER_ID', value: clusterId },
      { name: 'NAMESPACE', value: namespace },
      { name: 'IMAGE', value: image ?? '' },
      { name: 'SERVICE_ACCOUNT', value: account },
    ],
    resources: { requests: { cpu: '500m', memory: '2560Mi' }, limits: { cpu: '2', memory: '2560Mi' } },
    volumeMounts: volumeMounts.filter(({ name }) => !OF_FLINK.test(name)),
  };
}
