import type { KubernetesObject } from '@kubernetes/client-node';
import type { Plan } from './deployment-plan.ts';
import type { FlinkPod } from './flink-pod.ts';

/** KubernetesStepDecorator. A step sees what the steps before it did to the pod and to the configuration. */
export interface Decorator {
  readonly decorate?: (pod: FlinkPod, plan: Plan) => FlinkPod;
  readonly resources?: (plan: Plan) => readonly KubernetesObject[];
}
