import type { ClusterAccess, ClusterRef } from '../kubernetes/cluster/port.ts';
import type { JobHistory } from '../flink/job-history.ts';
import type {
  ApplicationManager,
  ClusterInspection,
  Jars,
  JobManager,
  Rescaling,
  Savepoints,
} from '../flink/job-manager.ts';

/** One named Kubernetes cluster of the deployment, ready to use. */
export interface Target {
  readonly cluster: ClusterAccess;
  /** The namespaces in which this deployment makes clusters. */
  readonly namespaces: readonly string[];
  jobManager(ref: ClusterRef): JobManager;
  /** That of an application's own cluster. */
  application(ref: ClusterRef): ApplicationManager;
  /** What else it is asked of the state of its job. */
  savepoints(ref: ClusterRef): Savepoints;
  /** How many subtasks its job has. */
  rescaling(ref: ClusterRef): Rescaling;
  /** What is kept of its jobs for later. */
  history(ref: ClusterRef): JobHistory;
  session(ref: ClusterRef): SessionAccess;
}

/** What else the JobManager of a session is asked. */
export interface SessionAccess {
  readonly jars: Jars;
  readonly inspection: Pick<ClusterInspection, 'configuration'>;
}

/** @throws DispatchError `UnknownTarget` */
export type Targets = (name: string) => Promise<Target>;
