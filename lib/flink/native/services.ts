import type { V1Service, V1ServiceSpec } from '@kubernetes/client-node';
import { FLINK } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { Option } from '../options/option.ts';
import type { JavaHashMap } from '../config/java-map.ts';
import type { Decorator } from './decorator.ts';
import { fixedPort, type Plan } from './deployment-plan.ts';
import { mapOf } from './flink-pod.ts';
import { record } from './init-pod.ts';
import { commonLabels, jobManagerSelectors } from './labels.ts';

/** InternalServiceDecorator, HeadlessClusterIPService: how TaskManagers find the JobManager without high availability. */
export const internalService: Decorator = {
  resources(plan) {
    const { configuration, clusterId, namespace, rules, highAvailability } = plan;
    if (highAvailability) return [];
    const port = configuration.get(FLINK.jobManagerPort);
    const blobPort = fixedPort(configuration, FLINK.blobPort);
    configuration.set(FLINK.jobManagerAddress, `${clusterId}.${namespace}`);
    return [
      service(plan, clusterId, {
        labels: rules.rank >= 202 ? K.internalServiceLabels : undefined,
        annotations: rules.rank >= 120 ? K.internalServiceAnnotations : undefined,
        spec: {
          clusterIP: 'None',
          ports: [
            { name: 'jobmanager-rpc', port },
            { name: 'blobserver', port: blobPort },
          ],
        },
      }),
    ];
  },
};

/** ExternalServiceDecorator, ServiceType.buildUpExternalRestService: the web UI and REST. */
export const restService: Decorator = {
  resources(plan) {
    const { configuration, clusterId, rules } = plan;
    const exposed = configuration.get(K.exposedType);
    const headless = exposed === 'Headless_ClusterIP';
    const targetPort = fixedPort(configuration, FLINK.restBindPort);
    return [
      service(plan, `${clusterId}-rest`, {
        labels: rules.rank >= 202 ? K.restServiceLabels : undefined,
        annotations: K.restServiceAnnotations,
        spec: {
          type: headless ? 'ClusterIP' : exposed,
          ...(headless && { clusterIP: 'None' }),
          ports: [{ name: 'rest', port: configuration.get(FLINK.restPort), targetPort }],
        },
      }),
    ];
  },
};

interface ServiceParts {
  readonly labels: Option<JavaHashMap<string>> | undefined;
  readonly annotations: Option<JavaHashMap<string>> | undefined;
  readonly spec: V1ServiceSpec;
}

function service(plan: Plan, name: string, { labels, annotations, spec }: ServiceParts): V1Service {
  const { configuration, clusterId, namespace } = plan;
  const read = (option: Option<JavaHashMap<string>> | undefined) =>
    option === undefined ? {} : record(configuration.getOptional(option));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: { ...commonLabels(clusterId), ...read(labels) },
      ...mapOf('annotations', read(annotations)),
    },
    spec: { ...spec, selector: jobManagerSelectors(clusterId) },
  };
}
