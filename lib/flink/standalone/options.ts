import { option as o, withDefault } from '../options/option.ts';

export const JOB_ID = o.string('$internal.pipeline.job-id');
export const SHUTDOWN_ON_FINISH = o.boolean('execution.shutdown-on-application-finish');
export const QUERY_PROXY_PORTS = o.string('queryable-state.proxy.ports', { deprecated: ['query.proxy.ports'] });

/** The ports of Flink's first standalone manifests. */
const DATA_PORT = 6121;
export const QUERY_PORT = 6125;
export const TASK_MANAGER_DATA_PORT = withDefault(o.int('taskmanager.data.port'), DATA_PORT);
