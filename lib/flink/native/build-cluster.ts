import type { KubernetesObject, V1Deployment, V1OwnerReference } from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import type { ClusterRequest, FlinkCluster } from '../cluster.ts';
import { plainValue } from '../config/files.ts';
import type { JavaHashMap } from '../config/java-map.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import { flinkRules } from '../version.ts';
import { commandOfJobManager } from './command.ts';
import { clusterSideConfiguration, flinkConf, jobManagerTemplate, podTemplateMount } from './config-maps.ts';
import type { Decorator } from './decorator.ts';
import { planDeployment, type Plan } from './deployment-plan.ts';
import { podFromTemplate, type FlinkPod } from './flink-pod.ts';
import { hadoopConf, kerberos } from './hadoop-kerberos.ts';
import { initJobManager } from './init-job-manager.ts';
import { jobManagerDeployment } from './job-manager-deployment.ts';
import { envSecrets, mountSecrets } from './secrets.ts';
import { internalService, restService } from './services.ts';
import { volumeClaims } from './volume-claims.ts';

/** KubernetesJobManagerFactory.buildKubernetesJobManagerSpecification: in this order. */
const DECORATORS: readonly Decorator[] = [
  initJobManager,
  envSecrets,
  mountSecrets,
  volumeClaims,
  commandOfJobManager,
  internalService,
  restService,
  hadoopConf,
  kerberos,
  flinkConf,
  podTemplateMount,
];

/**
 * The objects that Flink's own Kubernetes client of that version makes for the same options.
 * @throws DispatchError `UnsupportedFlinkVersion`, `InvalidName`, `InvalidConfiguration`, `InvalidSpec` for what the
 * client or the cluster would refuse, naming the key.
 */
export function buildCluster(request: ClusterRequest): FlinkCluster {
  const plan = planDeployment(request, flinkRules(request.flinkVersion));
  let pod = podFromTemplate(jobManagerTemplate(plan));
  const dependents: KubernetesObject[] = [];
  for (const step of DECORATORS) {
    pod = step.decorate?.(pod, plan) ?? pod;
    dependents.push(...(step.resources?.(plan) ?? []));
  }
  const { clusterId, namespace } = plan;
  return {
    clusterId,
    namespace,
    deployment: deployment(pod, plan),
    dependents: dependents.map((object) => ownedByDeployment(object, clusterId)),
    configuration: Object.fromEntries(
      clusterSideConfiguration(plan.configuration)
        .entries()
        .map(([key, value]) => [key, plainValue(value)]),
    ),
  };
}

function deployment(pod: FlinkPod, plan: Plan): V1Deployment {
  const owners = (plan.configuration.getOptional(K.jobManagerOwners) ?? []).map(ownerReference);
  const made = jobManagerDeployment(pod, plan, replicas(plan));
  return owners.length === 0 ? made : { ...made, metadata: { ...made.metadata, ownerReferences: owners } };
}

/** KubernetesJobManagerParameters.getReplicas. */
function replicas({ configuration, highAvailability }: Plan): number {
  const count = configuration.get(K.jobManagerReplicas);
  if (count === 1 || (count > 1 && highAvailability)) return count;
  const why = count < 1 ? 'must be 1 or more' : 'needs high availability: set high-availability.type';
  throw new DispatchError('InvalidConfiguration', `${K.jobManagerReplicas.key} '${count}' ${why}`, {
    field: K.jobManagerReplicas.key,
  });
}

/** KubernetesOwnerReference.fromMap: names in any case, unknown ones ignored. */
function ownerReference(map: JavaHashMap<string>): V1OwnerReference {
  const fields = new Map(map.entries().map(([name, value]) => [name.toLowerCase(), value]));
  const flag = (name: string) => fields.get(name.toLowerCase())?.toLowerCase() === 'true';
  return {
    apiVersion: fields.get('apiversion') ?? '',
    kind: fields.get('kind') ?? '',
    name: fields.get('name') ?? '',
    uid: fields.get('uid') ?? '',
    ...(fields.has('controller') && { controller: flag('controller') }),
    ...(fields.has('blockownerdeletion') && { blockOwnerDeletion: flag('blockOwnerDeletion') }),
  };
}

/** Fabric8FlinkKubeClient.setOwnerReference; the uid is known once the Deployment exists. */
export function ownedByDeployment(object: KubernetesObject, clusterId: string): KubernetesObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: clusterId,
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    ...object,
    metadata: { ...object.metadata, ownerReferences: [owner as V1OwnerReference] },
  };
}
