import type { ClusterInventory, ClusterLogs, ClusterRef, Clusters, Renewals, StartPermits } from '../cluster/port.ts';
import type { ClusterInspection, Jars, JobManager } from '../flink/job-manager.ts';

/** One named Kubernetes cluster of the deployment, ready to use. */
export interface Target {
  readonly clusters: Clusters;
  readonly logs: ClusterLogs;
  readonly inventory: ClusterInventory;
  readonly permits: StartPermits;
  readonly renewals: Renewals;
  /** The namespaces in which this deployment makes clusters. */
  readonly namespaces: readonly string[];
  jobManager(ref: ClusterRef): JobManager;
  session(ref: ClusterRef): SessionAccess;
}

/** What else the JobManager of a session is asked. */
export interface SessionAccess {
  readonly jars: Jars;
  readonly inspection: Pick<ClusterInspection, 'configuration'>;
}

/** @throws DispatchError `UnknownTarget` */
export type Targets = (name: string) => Promise<Target>;
