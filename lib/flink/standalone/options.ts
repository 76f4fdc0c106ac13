import { option as o, withDefault } from '../options/option.ts';

/** ResourceManagerOptions.CONTAINERIZED_TASK_MANAGER_ENV_PREFIX. */
export const TASK_MANAGER_ENV_PREFIX = 'containerized.taskmanager.env.';

/** What a native JobManager reads when it makes a TaskManager's pod; in a standalone cluster nobody else does. */
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

export const JOB_ID = o.string('$internal.pipeline.job-id');
export const SHUTDOWN_ON_FINISH = o.boolean('execution.shutdown-on-application-finish');
export const QUERY_PROXY_PORTS = o.string('queryable-state.proxy.ports', { deprecated: ['query.proxy.ports'] });

/** The ports of Flink's first standalone manifests. */
export const DATA_PORT = 6121;
export const QUERY_PORT = 6125;
export const TASK_MANAGER_DATA_PORT = withDefault(o.int('taskmanager.data.port'), DATA_PORT);
