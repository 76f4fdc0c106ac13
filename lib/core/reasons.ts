/**
 * Every reason that an outcome, an error or a dead letter can give. A reason's class says who has to act and whether
 * another attempt can help; `todo` is the advice that goes with it into the event.
 *
 * - `user`: the request, the jar or the job is at fault; the same again would fail again.
 * - `infrastructure`: the cluster or the network is at fault; another attempt may succeed.
 * - `capacity`: there is no room now; waiting helps and costs no attempt.
 * - `internal`: neither; a defect of this product or of its deployment.
 * - `none`: not a fault.
 */
export const REASONS = {
  // ends that are no fault
  JobFinished: { class: 'none', todo: 'Nothing.' },
  JobCanceled: { class: 'none', todo: 'Nothing, if the cancellation was wanted.' },
  StoppedWithSavepoint: { class: 'none', todo: 'Nothing: its state is in the savepoint that snapshot names.' },
  ReplacedByNewerRun: {
    class: 'none',
    todo: 'Nothing: concurrency.policy is replace and a newer run of the same key took over.',
  },
  ConcurrencyForbidden: {
    class: 'none',
    todo: 'Nothing, or choose another concurrency.policy: an earlier run of the same key is still live.',
  },
  StartingDeadlineMissed: {
    class: 'none',
    todo: 'Nothing, or let a backfill run what was missed; raise startingDeadline where a late run is of use.',
  },
  CallbackLost: {
    class: 'infrastructure',
    todo: "Answer the task by hand, or let it run into its time-out; the function's role needs states:SendTaskSuccess and states:SendTaskFailure.",
  },
  DeploymentFinished: {
    class: 'none',
    todo: 'Say what the stream starts from, or that it starts with empty state: the message names the choices.',
  },

  // requests that are refused before anything is created
  MalformedRequest: { class: 'user', todo: 'Send a JSON or YAML object as the documentation of job.yaml shows it.' },
  InvalidSpec: { class: 'user', todo: 'Correct the named field.' },
  InvalidName: {
    class: 'user',
    todo: 'Use at most 45 lower-case letters, digits and hyphens, beginning with a letter.',
  },
  InvalidConfiguration: { class: 'user', todo: 'Correct the named Flink option.' },
  UnsupportedFlinkVersion: { class: 'user', todo: 'Use a Flink version from 1.19 to 2.3.' },
  UnknownJob: {
    class: 'user',
    todo: 'Store the job under jobs/<name>.yaml in the ledger bucket, or correct its name.',
  },
  UnknownTarget: { class: 'user', todo: 'Name a target of the deployment, or add this one to its configuration.' },
  NamespaceMissing: { class: 'user', todo: 'Create the namespace in the target, or correct its name.' },
  NotAllowed: { class: 'user', todo: "Use an allowed value, or widen the deployment's allow-list." },
  JarNotFound: { class: 'user', todo: 'Upload the jar, or correct job.jarURI.' },
  JarAccessDenied: { class: 'user', todo: "Let the function's role read the jar." },
  JarUnreadable: { class: 'user', todo: 'Upload a complete jar file.' },
  JarChecksumMismatch: {
    class: 'user',
    todo: 'Upload the jar again, or correct job.jarSha256: they are not the same bytes.',
  },
  ImageNotFound: {
    class: 'user',
    todo: 'Correct image, or the platforms of jarDelivery: the registry has no such image.',
  },
  ImageUnsuitable: {
    class: 'user',
    todo: "Use one of Flink's own images as image, or one that is built from it, for the processors of the nodes.",
  },
  RegistryRefused: {
    class: 'internal',
    todo: "Correct what the message names: the registry's credentials, their rights, or the registry's limits.",
  },
  EntryClassMissing: { class: 'user', todo: "Set job.entryClass, or Main-Class in the jar's manifest." },
  IdempotencyConflict: { class: 'user', todo: 'Use a new idempotency key for a different request.' },

  // runs that fail
  JobFailed: { class: 'user', todo: 'See rootException.' },
  ApplicationFailed: {
    class: 'user',
    todo: 'main() failed, exited or ran no job: see rootException and the log.',
  },
  MainClassMissing: { class: 'user', todo: 'Correct job.entryClass: the jar has no such class.' },
  JarMissingInCluster: { class: 'user', todo: 'Correct job.jarURI: the pod does not find the jar.' },
  JarDownloadFailed: {
    class: 'infrastructure',
    todo: "Let the pods reach the jar's address, which the message names the fault of: DNS, egress, proxy, clocks.",
  },
  JobManagerOutOfMemory: { class: 'user', todo: 'Raise jobManager.resource.memory.' },
  TaskManagerOutOfMemory: {
    class: 'user',
    todo: 'Raise taskManager.resource.memory, or taskmanager.memory.jvm-overhead.',
  },
  ImagePullFailed: { class: 'infrastructure', todo: "Check the image's name, the registry and the pull secret." },
  ContainerConfigError: { class: 'user', todo: 'Create the ConfigMap, Secret or volume that the pod names.' },
  JobManagerCrashed: { class: 'infrastructure', todo: "See the JobManager's log." },
  TaskManagerCrashed: { class: 'infrastructure', todo: "See the TaskManager's log." },
  PodEvicted: {
    class: 'infrastructure',
    todo: 'See why the kubelet or the scheduler took the pod away: raise its requests or priority, or relieve the node.',
  },
  SidecarFailed: { class: 'infrastructure', todo: "See the log of the pod's container that the message names." },
  PodUnschedulable: {
    class: 'infrastructure',
    todo: 'Add nodes, or lower the resources, node selector or tolerations that the message names.',
  },
  PodGated: {
    class: 'user',
    todo: 'See the controller that has gated the pod, such as Kueue: its queue, quota or admission checks.',
  },
  QuotaTooSmall: {
    class: 'user',
    todo: "Raise the namespace's ResourceQuota, or lower the job's resources or job.parallelism.",
  },
  QuotaExceeded: { class: 'capacity', todo: "Wait, or raise the namespace's ResourceQuota." },
  ServiceAccountForbidden: { class: 'user', todo: 'Give the service account the Role in infra/kubernetes.' },
  JobLost: {
    class: 'infrastructure',
    todo: 'The JobManager was replaced and has no job: enable high availability to survive it.',
  },
  ClusterDeleted: { class: 'user', todo: 'Somebody removed the cluster while the run was live.' },
  ClusterNameTaken: {
    class: 'infrastructure',
    todo: 'Another owner has a Deployment of this name: remove it or rename the job.',
  },
  StartDeadlineExceeded: {
    class: 'infrastructure',
    todo: 'See the evidence for what it waited for, or raise deadlines.start.',
  },
  RunDeadlineExceeded: { class: 'user', todo: 'Raise deadlines.run, or make the job finish sooner.' },
  MainDeadlineExceeded: { class: 'user', todo: 'Let main() return after its jobs, or raise deadlines.main.' },
  RestUnreachable: {
    class: 'infrastructure',
    todo: "The pods are well but the JobManager's REST endpoint does not answer: check rest access of the target.",
  },
  RunNotFound: { class: 'user', todo: 'Correct the run id: there is no such run, or none that you may name.' },
  JobNotFound: { class: 'user', todo: 'Check the job id: the JobManager has no such job.' },
  OperationNotFound: {
    class: 'user',
    todo: 'Look for what the operation left: Flink forgets a result after rest.async.store-duration, and with its JobManager.',
  },
  FlinkRefused: { class: 'user', todo: "Change what the JobManager's message names." },
  SessionNotFound: {
    class: 'user',
    todo: 'Start the session, correct session.clusterId, or name a pool, whose session is started when it is needed.',
  },
  SlotsUnavailable: {
    class: 'infrastructure',
    todo: "Add nodes or quota for the session's TaskManagers, lower job.parallelism, or wait for its other jobs.",
  },
  StateUnreadable: {
    class: 'user',
    todo: 'Name another snapshot: a rule of the bucket or a person has removed this one, or it is not complete.',
  },
  StateIncompatible: {
    class: 'user',
    todo: 'Let the program take the state as it is: the uid of each operator, its types, maxParallelism; or start anew.',
  },
  NotStable: {
    class: 'user',
    todo: 'See the log for why it restarts, or completes no checkpoint. Raise job.probation where it needs more time.',
  },
  StateUnknown: {
    class: 'infrastructure',
    todo: "Let the dispatcher read the state's storage (allow.stateStorage), or name the snapshot to go on from.",
  },
  SavepointFailed: {
    class: 'infrastructure',
    todo: "See the message and the JobManager's log; the job runs on. Raise savepointDeadline where it took too long.",
  },
  StateStorageDenied: {
    class: 'user',
    todo: "Name the state's prefix in allow.stateStorage, and let the dispatcher's role read it.",
  },
  StateStorageUnavailable: { class: 'infrastructure', todo: 'Retried by itself.' },
  OutcomeUnknown: {
    class: 'infrastructure',
    todo: "The cluster is gone and left no verdict: check the job's own output.",
  },
  ClusterUnavailable: { class: 'infrastructure', todo: 'The Kubernetes API does not answer: check the target.' },
  RegistryUnavailable: { class: 'infrastructure', todo: 'Retried by itself.' },
  PermissionDenied: {
    class: 'internal',
    todo: 'Give the dispatcher the Role in infra/kubernetes, or its function the AWS permission that the message names.',
  },
  StorageUnavailable: { class: 'infrastructure', todo: 'Retried by itself.' },
  Internal: { class: 'internal', todo: 'Report it with the run record.' },
} as const satisfies Record<string, { class: ReasonClass; todo: string }>;

export type ReasonClass = 'none' | 'user' | 'infrastructure' | 'capacity' | 'internal';

/** Who has to act, and whether the same is tried again by itself. */
export const REASON_CLASSES: Readonly<Record<ReasonClass, string>> = {
  none: 'not a fault',
  user: 'the request, the jar or the job is at fault: it is never tried again by itself',
  infrastructure: 'the cluster or the network is at fault: another attempt follows, as retry.attempts allows',
  capacity: 'there is no room now: the run waits, and the wait costs no attempt',
  internal: 'a defect of this product or of its installation',
};
export type Reason = keyof typeof REASONS;

export const REASON_CODES = Object.keys(REASONS) as [Reason, ...Reason[]];

export function reasonClass(reason: Reason): ReasonClass {
  return REASONS[reason].class;
}
