import { FLINK, MASTER_ENV_PREFIX } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import { componentTemplate } from '../native/config-maps.ts';
import { fixedPort, type Plan } from '../native/deployment-plan.ts';
import { podFromTemplate, type FlinkPod } from '../native/flink-pod.ts';
import { JOB_MANAGER_OPTIONS, jobManagerLabels } from '../native/init-job-manager.ts';
import { initPod } from '../native/init-pod.ts';
import { complete } from './decorate.ts';
import { QUERY_PORT } from './options.ts';

/** The JobManager's pod, with the ports and their names of Flink's standalone manifests. */
export function jobManagerPod(plan: Plan, args: readonly string[]): FlinkPod {
  const { configuration } = plan;
  const pod = initPod(podFromTemplate(componentTemplate(plan, 'jobManager')), plan, {
    labels: jobManagerLabels(plan),
    cpu: configuration.get(K.jobManagerCpu),
    memory: plan.jobManagerMemory,
    ports: [
      { name: 'rpc', containerPort: configuration.get(FLINK.jobManagerPort) },
      { name: 'blob', containerPort: fixedPort(configuration, FLINK.blobPort) },
      { name: 'query', containerPort: QUERY_PORT },
      { name: 'ui', containerPort: fixedPort(configuration, FLINK.restBindPort) },
    ],
    envPrefix: MASTER_ENV_PREFIX,
    options: JOB_MANAGER_OPTIONS,
  });
  return complete(pod, plan, args);
}
