import type { KubernetesObject } from '@kubernetes/client-node';
import type { Instant } from '../../core/clock.ts';
import type { ClusterId, RunId } from '../../core/ids.ts';
import type { FlinkCluster } from '../../flink/cluster.ts';
import type { ClusterNeed } from '../admission/cluster-need.ts';

export interface ClusterRef {
  readonly namespace: string;
  readonly clusterId: ClusterId;
  /** Whether its JobManager's REST endpoint speaks TLS; default: no. */
  readonly restTls?: boolean;
}

export interface ContainerFacts {
  readonly name: string;
  readonly init: boolean;
  /** Of an init container that is a sidecar; absent for every other one. */
  readonly restartPolicy?: 'Always';
  readonly image: string;
  /** `sha256:…`, once the node has the image; absent where the node does not say it. */
  readonly imageDigest?: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: 'waiting' | 'running' | 'terminated';
  /** ErrImagePull, CrashLoopBackOff, CreateContainerConfigError, OOMKilled, Error, Completed … */
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
  /** The incarnation before this one. */
  readonly last?: {
    readonly reason?: string;
    readonly message?: string;
    readonly exitCode?: number;
    readonly finishedAt?: Instant;
  };
}

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  readonly component: 'jobmanager' | 'taskmanager';
  readonly phase: string;
  /** Evicted, NodeLost, … */
  readonly reason?: string;
  readonly message?: string;
  readonly node?: string;
  readonly createdAt: Instant;
  readonly deleting: boolean;
  readonly ready: boolean;
  /** Why the scheduler found no place, while it finds none. */
  readonly unschedulable?: string;
  /** Names of its scheduling gates: the scheduler does not look at it before they are gone. */
  readonly gates?: string;
  readonly containers: readonly ContainerFacts[];
}

export interface EventFacts {
  /** `Pod/x`, `Deployment/x`, `ReplicaSet/x`. */
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly lastSeen: Instant;
}

export type DeploymentFacts =
  | { readonly state: 'absent' }
  | {
      readonly state: 'present';
      readonly uid: string;
      /** From our annotations; absent when the Deployment is not ours. */
      readonly owner?: Owner;
      readonly deleting: boolean;
      readonly createdAt: Instant;
      readonly desiredReplicas: number;
      readonly conditions: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason: string;
        readonly message: string;
      }[];
    };

/** What Kubernetes says of one cluster at one instant. */
export interface KubernetesFacts {
  readonly deployment: DeploymentFacts;
  readonly pods: readonly PodFacts[];
  readonly events: readonly EventFacts[];
}

/** Whose work a Deployment is. Written as annotations, compared when a create meets a 409. */
export type Owner = RunOwner | PoolOwner;

/** One attempt of a run: the cluster is its own. */
export interface RunOwner {
  readonly kind: 'run';
  readonly runId: RunId;
  readonly attempt: number;
  /** The ledger that has the run: deployments that share a namespace leave each other's clusters alone. */
  readonly ledger?: string;
}

/** A pool of one deployment, which its ledger names: the cluster is a session for jobs of many runs. */
export interface PoolOwner {
  readonly kind: 'pool';
  readonly pool: string;
  readonly ledger: string;
}

/**
 * Clusters on one Kubernetes. Methods throw DispatchError: `ClusterUnavailable` (no answer or 5xx: says nothing about
 * the cluster), `PermissionDenied`, `QuotaExceeded`, `ClusterNameTaken`, `InvalidConfiguration` (422 of the API server).
 */
export interface Clusters {
  /**
   * Creates the Deployment, then all dependents at once; finding our own earlier work is success. `mayStart` is asked
   * between the Deployment, whose uid it is told, and the permit to start; at another answer than yes the call throws
   * `ClusterUnavailable`.
   */
  apply(
    cluster: FlinkCluster,
    owner: Owner,
    mayStart?: (uid: string) => Promise<StartAnswer>,
  ): Promise<'created' | 'found'>;
  /** Events are looked up for pods that are not ready, and when no pod could be made. */
  observe(ref: ClusterRef): Promise<KubernetesFacts>;
  /**
   * Ordered: no new TaskManagers appear while it runs, and high-availability metadata goes when no JobManager is left to
   * write it anew. So it is called again until nothing remains. Absent is success. Does not wait for the end.
   */
  remove(ref: ClusterRef, what: Removal): Promise<void>;
  /** `Kind/name` of every object of the cluster that is still there and should go; empty means proven gone. */
  remains(ref: ClusterRef, what?: Removal): Promise<readonly string[]>;
}

/**
 * What of a cluster is to go. Default: everything. A Deployment of the same name that has another uid, or where no uid is
 * known another owner, stays with all that belongs to it, and is not counted as a remainder.
 */
export interface Removal {
  /** Whether the high-availability ConfigMaps go too: what a person would restore the job from. */
  readonly highAvailability: boolean;
  /** Of the Deployment that is meant. */
  readonly uid?: string;
  readonly owner?: Owner;
}

/**
 * Whether a cluster that is being made may begin its program. `judged`: somebody is about to say how it ends, with all
 * that is there. `over`: nobody looks for it any more, so a Deployment that this call made is taken back.
 */
export type StartAnswer = 'grant' | 'withhold' | 'rollback';

/** What lets a cluster's JobManager start: see `withStartPermit`. */
export interface StartPermits {
  /**
   * From now on no container of the JobManager of the owner's cluster starts, whatever a late `apply` does; one that runs
   * goes on. No such cluster is success.
   */
  revoke(ref: ClusterRef, owner: Owner): Promise<void>;
}

/** A cluster as it will be made, and what it takes. */
export interface AdmissibleCluster extends Pick<FlinkCluster, 'namespace' | 'clusterId'> {
  readonly need: ClusterNeed;
}

/** A place for the whole cluster, held from the look until its Deployment stands. */
export interface Place {
  /** Its Deployment stands, which others see from now on. @throws DispatchError `ClusterUnavailable`: ask for a place again */
  settle(): Promise<void>;
  /** Nothing was made; after `settle` there is nothing to give back. */
  giveBack(): Promise<void>;
}

export interface Admitting {
  /**
   * Asks for a place before a cluster is made. `busy`: another cluster is being admitted, ask again in a moment.
   * Where there is no quota, or none is shown to this account, every cluster has a place.
   * @throws DispatchError `QuotaExceeded` while there is no room for all of it, `QuotaTooSmall` when there will never be
   */
  admit(cluster: AdmissibleCluster, owner: Owner, now: Instant): Promise<Place | 'busy'>;
}

/** Keeps what pods of a standing cluster read when they start. */
export interface Renewals {
  /** Writes objects of the owner's cluster anew. `absent`: it has no such cluster any more. */
  renew(ref: ClusterRef, owner: Owner, objects: readonly KubernetesObject[]): Promise<'renewed' | 'absent'>;
}

export interface LogTail {
  readonly pod: string;
  readonly container: string;
  readonly text: string;
}

export interface ClusterLogs {
  /** The end of a container's log, at most `bytes`; `previous`: of the incarnation before. Empty text when there is none. */
  tail(
    ref: ClusterRef,
    pod: string,
    options: { container: string; bytes: number; previous: boolean },
  ): Promise<LogTail>;
}

export interface OwnedCluster extends ClusterRef {
  readonly uid: string;
  readonly owner: Owner;
  readonly createdAt: Instant;
}

/** Finds what carries this product's label, for the sweeper. */
export interface ClusterInventory {
  list(namespace: string): Promise<readonly OwnedCluster[]>;
}

/** What a service account may do in its own namespace. */
export interface ServiceAccountRight {
  readonly namespace: string;
  /** The service account's name. */
  readonly account: string;
  readonly verb: string;
  /** Of the API; empty for the core. */
  readonly group: string;
  /** In plural, with its subresource: `pods/log`. */
  readonly resource: string;
}

export interface Leftovers {
  /**
   * Removes what high availability kept of an earlier cluster of the name, before a JobManager of the Deployment with this
   * uid can read it: asked in `mayStart` of `apply`. Once one may have started, nothing happens.
   */
  removeLeftovers(ref: ClusterRef, uid: string): Promise<void>;
}

export interface AccessReviews {
  /** Whether it has the right now; `undefined`: the API server does not tell this account. */
  hasRight(right: ServiceAccountRight): Promise<boolean | undefined>;
}

/** All that is asked of one Kubernetes. */
export interface ClusterAccess
  extends Clusters, ClusterLogs, ClusterInventory, StartPermits, Renewals, Admitting, Leftovers, AccessReviews {}
