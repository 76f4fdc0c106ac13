import { mebibytes, MEMORY_MAX } from '../memory/size.ts';
import { option as o, withDefault } from './option.ts';

/** The options outside KubernetesConfigOptions that the client reads, sets or drops. */
export const FLINK = {
  // DeploymentOptions, DeploymentOptionsInternal, ClusterEntrypoint, PipelineOptions, ApplicationConfiguration
  target: o.string('execution.target'),
  attached: o.boolean('execution.attached'),
  shutdownIfAttached: o.boolean('execution.shutdown-on-attached-exit'),
  confDir: o.string('$internal.deployment.config-dir'),
  executionMode: o.string('internal.cluster.execution-mode'),
  jars: o.list('pipeline.jars'),
  classpaths: o.list('pipeline.classpaths'),
  programArgs: o.list('$internal.application.program-args'),
  mainClass: o.string('$internal.application.main'),
  parallelism: o.int('parallelism.default'),
  scheduler: withDefault(o.string('jobmanager.scheduler'), 'default'),
  schedulerMode: o.string('scheduler-mode'),
  // ArtifactFetchOptions
  artifactsDir: withDefault(o.string('user.artifacts.base-dir'), '/opt/flink/artifacts'),
  artifactList: o.list('user.artifacts.artifact-list'),
  // RestOptions, BlobServerOptions, JobManagerOptions, TaskManagerOptions: addresses and ports
  restPort: withDefault(o.int('rest.port', { deprecated: ['web.port'] }), 8081),
  restBindPort: withDefault(
    o.string('rest.bind-port', { fallback: ['rest.port'], deprecated: ['web.port', 'jobmanager.web.port'] }),
    '8081',
  ),
  restBindAddress: o.string('rest.bind-address', { fallback: ['web.address'], deprecated: ['jobmanager.web.address'] }),
  blobPort: withDefault(o.string('blob.server.port'), '0'),
  jobManagerAddress: o.string('jobmanager.rpc.address'),
  jobManagerPort: withDefault(o.int('jobmanager.rpc.port'), 6123),
  jobManagerBindHost: o.string('jobmanager.bind-host'),
  taskManagerRpcPort: withDefault(o.string('taskmanager.rpc.port'), '0'),
  taskManagerBindHost: o.string('taskmanager.bind-host'),
  taskManagerHost: o.string('taskmanager.host'),
  // HighAvailabilityOptions
  highAvailability: withDefault(
    o.string('high-availability.type', { deprecated: ['recovery.mode', 'high-availability'] }),
    'NONE',
  ),
  haClusterId: o.string('high-availability.cluster-id', {
    deprecated: ['high-availability.zookeeper.path.namespace', 'recovery.zookeeper.path.namespace'],
  }),
  haPort: withDefault(o.string('high-availability.jobmanager.port', { deprecated: ['recovery.jobmanager.port'] }), '0'),
  // SecurityOptions
  keytab: o.string('security.kerberos.login.keytab', { deprecated: ['security.keytab'] }),
  principal: o.string('security.kerberos.login.principal', { deprecated: ['security.principal'] }),
  krb5Conf: o.string('security.kerberos.krb5-conf.path'),
};

/** ResourceManagerOptions.CONTAINERIZED_MASTER_ENV_PREFIX. */
export const MASTER_ENV_PREFIX = 'containerized.master.env.';

/** JobManagerOptions. */
export const JOB_MANAGER_MEMORY = {
  process: o.memory('jobmanager.memory.process.size'),
  flink: o.memory('jobmanager.memory.flink.size'),
  heap: o.memory('jobmanager.memory.heap.size'),
  offHeap: withDefault(o.memory('jobmanager.memory.off-heap.size'), mebibytes(128)),
  metaspace: withDefault(o.memory('jobmanager.memory.jvm-metaspace.size'), mebibytes(256)),
  overheadMin: withDefault(o.memory('jobmanager.memory.jvm-overhead.min'), mebibytes(192)),
  overheadMax: withDefault(o.memory('jobmanager.memory.jvm-overhead.max'), mebibytes(1024)),
  overheadFraction: withDefault(o.float('jobmanager.memory.jvm-overhead.fraction'), Math.fround(0.1)),
  legacyHeap: o.memory('jobmanager.heap.size'),
  legacyHeapMb: o.int('jobmanager.heap.mb'),
};

/** TaskManagerOptions. */
export const TASK_MANAGER_MEMORY = {
  process: o.memory('taskmanager.memory.process.size'),
  flink: o.memory('taskmanager.memory.flink.size'),
  metaspace: withDefault(o.memory('taskmanager.memory.jvm-metaspace.size'), mebibytes(256)),
  overheadMin: withDefault(o.memory('taskmanager.memory.jvm-overhead.min'), mebibytes(192)),
  overheadMax: withDefault(o.memory('taskmanager.memory.jvm-overhead.max'), mebibytes(1024)),
  overheadFraction: withDefault(o.float('taskmanager.memory.jvm-overhead.fraction'), Math.fround(0.1)),
  legacyHeap: o.memory('taskmanager.heap.size'),
  legacyHeapMb: o.int('taskmanager.heap.mb'),
  frameworkHeap: withDefault(o.memory('taskmanager.memory.framework.heap.size'), mebibytes(128)),
  frameworkOffHeap: withDefault(o.memory('taskmanager.memory.framework.off-heap.size'), mebibytes(128)),
  taskHeap: o.memory('taskmanager.memory.task.heap.size'),
  taskOffHeap: withDefault(o.memory('taskmanager.memory.task.off-heap.size'), 0n),
  managed: o.memory('taskmanager.memory.managed.size', { deprecated: ['taskmanager.memory.size'] }),
  managedFraction: withDefault(o.float('taskmanager.memory.managed.fraction'), Math.fround(0.4)),
  networkMin: withDefault(
    o.memory('taskmanager.memory.network.min', { deprecated: ['taskmanager.network.memory.min'] }),
    mebibytes(64),
  ),
  networkMax: withDefault(
    o.memory('taskmanager.memory.network.max', { deprecated: ['taskmanager.network.memory.max'] }),
    MEMORY_MAX,
  ),
  networkFraction: withDefault(
    o.float('taskmanager.memory.network.fraction', { deprecated: ['taskmanager.network.memory.fraction'] }),
    Math.fround(0.1),
  ),
  slots: withDefault(o.int('taskmanager.numberOfTaskSlots'), 1),
  cpu: o.double('taskmanager.cpu.cores'),
};
