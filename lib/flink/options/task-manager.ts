import { option as o, withDefault } from './option.ts';

/** ResourceManagerOptions.CONTAINERIZED_TASK_MANAGER_ENV_PREFIX. */
export const TASK_MANAGER_ENV_PREFIX = 'containerized.taskmanager.env.';

/** What a native JobManager reads when it makes a TaskManager's pod, and nobody in a standalone cluster but the builder. */
export const TASK_MANAGER = {
  serviceAccount: withDefault(
    o.string('kubernetes.taskmanager.service-account', { fallback: ['kubernetes.service-account'] }),
    'default',
  ),
  cpu: o.double('kubernetes.taskmanager.cpu.amount', { deprecated: ['kubernetes.taskmanager.cpu'] }),
  cpuLimitFactor: withDefault(o.double('kubernetes.taskmanager.cpu.limit-factor'), 1),
  memoryLimitFactor: withDefault(o.double('kubernetes.taskmanager.memory.limit-factor'), 1),
  labels: o.map('kubernetes.taskmanager.labels'),
  annotations: o.map('kubernetes.taskmanager.annotations'),
  nodeSelector: o.map('kubernetes.taskmanager.node-selector'),
  tolerations: o.mapList('kubernetes.taskmanager.tolerations'),
};

/** ExternalResourceOptions: names, and for each `external-resource.<name>.amount` and `.kubernetes.config-key`. */
export const EXTERNAL_RESOURCES = o.list('external-resources');
