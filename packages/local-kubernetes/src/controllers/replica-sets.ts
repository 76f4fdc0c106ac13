import { requestDeletion } from '../deletion.ts';
import { ApiError } from '../errors.ts';
import { Controller, type ControllerDeps } from './controller.ts';
import { controllerOf, withCondition, type Pod, type ReplicaSet } from '../objects.ts';
import { PODS, REPLICA_SETS } from '../resources.ts';
import { controllerReference, isReady, newMetadata, randomSuffix } from './pod-template.ts';

const RETRY = { first: 1000, most: 30_000 };

/** Keeps as many pods as each ReplicaSet asks for. */
export class ReplicaSets extends Controller {
  readonly #failures = new Map<string, { count: number; until: number; error: ApiError }>();

  constructor(deps: ControllerDeps, onError: (error: unknown) => void) {
    super(REPLICA_SETS, PODS, deps, onError);
  }

  protected override reconcile(key: string): void {
    const [namespace, name = ''] = key.split('/');
    const set = this.deps.store.find(REPLICA_SETS, namespace, name) as ReplicaSet | undefined;
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const pods = this.#podsOf(set).filter(isActive);
    const missing = set.spec.replicas - pods.length;
    let failure: ApiError | undefined;
    if (missing > 0) failure = this.#create(set, missing, key);
    else for (const pod of leastReadyFirst(pods).slice(0, -missing)) this.#remove(set, pod);
    this.#report(set, failure);
  }

  #podsOf(set: ReplicaSet): Pod[] {
    const pods = this.deps.store.list(PODS, set.metadata.namespace) as Pod[];
    return pods.filter((pod) => controllerOf(pod)?.uid === set.metadata.uid);
  }

  #create(set: ReplicaSet, count: number, key: string): ApiError | undefined {
    // The next try has its time, whatever else changes: each refusal names another pod and so changes the status.
    const last = this.#failures.get(key);
    if (last !== undefined && Date.now() < last.until) return last.error;
    try {
      for (let made = 0; made < count; made++) {
        const pod = this.deps.admission.create(PODS, podOf(set));
        const message = `Created pod: ${pod.metadata.name}`;
        this.deps.events.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message });
      }
      this.#failures.delete(key);
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const message = `Error creating: ${error.message}`;
      this.deps.events.record(set, { type: 'Warning', reason: 'FailedCreate', message });
      const wait = Math.min(RETRY.most, RETRY.first * 2 ** (last?.count ?? 0));
      this.#failures.set(key, { count: (last?.count ?? 0) + 1, until: Date.now() + wait, error });
      this.queue.addAfter(key, wait);
      return error;
    }
  }

  #remove(set: ReplicaSet, pod: Pod): void {
    requestDeletion(this.deps.store, PODS, pod, { propagationPolicy: 'Background' });
    const message = `Deleted pod: ${pod.metadata.name}`;
    this.deps.events.record(set, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }

  #report(set: ReplicaSet, failure: ApiError | undefined): void {
    const pods = this.#podsOf(set).filter(isActive);
    const ready = pods.filter(isReady).length;
    this.deps.store.modify(REPLICA_SETS, set, (draft) => {
      const { status } = draft as ReplicaSet;
      const others = (status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure');
      const failed = {
        type: 'ReplicaFailure',
        status: 'True',
        reason: 'FailedCreate',
        message: failure?.message ?? '',
      } as const;
      const conditions =
        failure === undefined ? others : withCondition(status?.conditions, failed, this.deps.store.now());
      draft.status = {
        replicas: pods.length,
        fullyLabeledReplicas: pods.length,
        readyReplicas: ready,
        availableReplicas: ready,
        observedGeneration: set.metadata.generation,
        ...(conditions.length > 0 ? { conditions } : {}),
      };
    });
  }
}

function isActive(pod: Pod): boolean {
  const over = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
  return !over && pod.metadata.deletionTimestamp === undefined;
}

function leastReadyFirst(pods: readonly Pod[]): Pod[] {
  return [...pods].sort((a, b) => Number(isReady(a)) - Number(isReady(b)));
}

function podOf(set: ReplicaSet): Pod {
  const { metadata, spec } = set.spec.template;
  const name = `${set.metadata.name}-${randomSuffix()}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...newMetadata(set.metadata.namespace, name),
      generateName: `${set.metadata.name}-`,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ownerReferences: [controllerReference(set)],
    },
    spec: structuredClone(spec ?? { containers: [] }),
    status: { phase: 'Pending' },
  };
}
