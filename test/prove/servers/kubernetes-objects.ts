import type { KubernetesObject, V1Deployment } from '@kubernetes/client-node';

/** How one incarnation of a JobManager's container stands. */
export interface Container {
  state: 'waiting' | 'running' | 'terminated';
  reason?: string;
  /** Why it waits. */
  message?: string;
  restarts: number;
  startedAt?: number;
  finishedAt?: number;
  exitCode?: number;
  /** The log of the incarnation before this one. */
  previousLog?: string;
  last?: { readonly reason: string; readonly exitCode: number; readonly finishedAt: number };
}

export interface Stored {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Uids of its owners. */
  readonly owners: readonly string[];
  readonly object: KubernetesObject;
  deletingAt?: number;
  /** Of a pod. */
  phase?: string;
  podReason?: string;
  podMessage?: string;
  container?: Container;
  /** Until then it is behind a scheduling gate. */
  gateOpensAt?: number;
  /** Mounts that failed. */
  mounts?: number;
}

const iso = (at: number): string => new Date(Math.round(at)).toISOString();

/** The object as the API server answers it. */
export function wireOf(stored: Stored): KubernetesObject {
  const { namespace, name, uid, labels, annotations, owners, createdAt, deletingAt } = stored;
  const metadata = {
    namespace,
    name,
    uid,
    labels,
    annotations,
    creationTimestamp: iso(createdAt),
    ...(owners.length === 0
      ? {}
      : {
          ownerReferences: (stored.object.metadata?.ownerReferences ?? owners.map((owner) => ({ uid: owner }))).map(
            (reference, index) => ({ ...reference, uid: owners[index] }),
          ),
        }),
    ...(deletingAt === undefined ? {} : { deletionTimestamp: iso(deletingAt) }),
  };
  if (stored.kind === 'Pod') return podOf(stored, metadata);
  if (stored.kind === 'Deployment') {
    const { spec } = stored.object as V1Deployment;
    return {
      kind: 'Deployment',
      metadata,
      spec: { replicas: spec?.replicas ?? 1 },
      status: {},
    } as unknown as KubernetesObject;
  }
  return { kind: stored.kind, metadata } as unknown as KubernetesObject;
}

function podOf(pod: Stored, metadata: object): KubernetesObject {
  const { phase = 'Pending', podReason, podMessage, container, gateOpensAt } = pod;
  const gated = gateOpensAt !== undefined;
  const place = gated ? { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] } : { nodeName: 'node' };
  const ready = phase === 'Running' && container?.state === 'running';
  return {
    kind: 'Pod',
    metadata,
    spec: { ...place, containers: [{ name: 'flink-main-container', image: 'flink:2.3.0' }] },
    status: {
      phase,
      ...(podReason === undefined ? {} : { reason: podReason, message: 'the node was low on resource: memory' }),
      ...(podMessage === undefined ? {} : { message: podMessage }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: container === undefined ? [] : [statusOf(container)],
    },
  } as unknown as KubernetesObject;
}

function statusOf(container: Container): object {
  const { state, reason, message, restarts, startedAt, finishedAt, exitCode = 1, last } = container;
  const detail =
    state === 'running'
      ? { running: { startedAt: iso(startedAt ?? 0) } }
      : state === 'terminated'
        ? { terminated: { exitCode, reason: reason ?? 'Error', finishedAt: iso(finishedAt ?? 0) } }
        : { waiting: { reason: reason ?? 'ContainerCreating', ...(message === undefined ? {} : { message }) } };
  return {
    name: 'flink-main-container',
    image: 'flink:2.3.0',
    imageID: `docker.io/library/flink@sha256:${'0123456789abcdef'.repeat(4)}`,
    ready: state === 'running',
    restartCount: restarts,
    state: detail,
    lastState: last === undefined ? {} : { terminated: { ...last, finishedAt: iso(last.finishedAt) } },
  };
}
