import { Controller, type ControllerDeps } from './controller.ts';
import { controllerOf, withCondition, type Condition, type Deployment, type ReplicaSet } from '../objects.ts';
import { DEPLOYMENTS, REPLICA_SETS } from '../resources.ts';
import { controllerReference, newMetadata, templateHash } from './pod-template.ts';

const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';

/** Keeps one ReplicaSet for each Deployment's template, and moves the replicas to the latest. */
export class Deployments extends Controller {
  constructor(deps: ControllerDeps, onError: (error: unknown) => void) {
    super(DEPLOYMENTS, REPLICA_SETS, deps, onError);
  }

  protected override reconcile(key: string): void {
    const [namespace, name = ''] = key.split('/');
    const deployment = this.deps.store.find(DEPLOYMENTS, namespace, name) as Deployment | undefined;
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const sets = this.#setsOf(deployment);
    const hash = templateHash(deployment.spec.template);
    const old = sets.filter((set) => set.metadata.labels?.[HASH] !== hash);
    let current = sets.find((set) => set.metadata.labels?.[HASH] === hash);
    if (deployment.spec.paused !== true) {
      current = this.#roll(deployment, old, current, hash);
    }
    this.#report(deployment, current, [...old, ...(current === undefined ? [] : [current])]);
  }

  #setsOf(dispatchConfig: Deployment): ReplicaSet[] {
    const sets = this.deps.store.list(REPLICA_SETS, dispatchConfig.metadata.namespace) as ReplicaSet[];
    return sets.filter((set) => controllerOf(set)?.uid === dispatchConfig.metadata.uid);
  }

  #roll(
    dispatchConfig: Deployment,
    old: readonly ReplicaSet[],
    current: ReplicaSet | undefined,
    hash: string,
  ): ReplicaSet | undefined {
    const recreate = dispatchConfig.spec.strategy?.type === 'Recreate';
    const remaining = old.some((set) => (set.status?.replicas ?? 0) > 0);
    if (recreate) for (const set of old) this.#scale(dispatchConfig, set, 0);
    if (recreate && remaining) return current;
    const { replicas } = dispatchConfig.spec;
    const next = current ?? this.#create(dispatchConfig, hash, old.length + 1);
    this.#scale(dispatchConfig, next, replicas);
    if ((next.status?.availableReplicas ?? 0) >= replicas) for (const set of old) this.#scale(dispatchConfig, set, 0);
    return next;
  }

  #create(dispatchConfig: Deployment, hash: string, revision: number): ReplicaSet {
    const { metadata, spec } = dispatchConfig;
    const labels = { ...spec.template.metadata?.labels, [HASH]: hash };
    const set: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        ...newMetadata(metadata.namespace, `${metadata.name}-${hash}`),
        labels,
        annotations: { [REVISION]: String(revision) },
        ownerReferences: [controllerReference(dispatchConfig)],
      },
      spec: {
        replicas: spec.replicas,
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [HASH]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    };
    const made = this.deps.admission.create(REPLICA_SETS, set) as ReplicaSet;
    this.#scaled(dispatchConfig, made, 0, spec.replicas);
    return made;
  }

  #scale(dispatchConfig: Deployment, set: ReplicaSet, replicas: number): void {
    if (set.spec.replicas === replicas) return;
    this.deps.store.modify(REPLICA_SETS, set, (draft) => {
      (draft as ReplicaSet).spec.replicas = replicas;
      draft.metadata.generation = (draft.metadata.generation ?? 1) + 1;
    });
    this.#scaled(dispatchConfig, set, set.spec.replicas, replicas);
  }

  #scaled(dispatchConfig: Deployment, set: ReplicaSet, from: number, to: number): void {
    const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${set.metadata.name} from ${String(from)} to ${String(to)}`;
    this.deps.events.record(dispatchConfig, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }

  #report(dispatchConfig: Deployment, current: ReplicaSet | undefined, sets: readonly ReplicaSet[]): void {
    const total = (count: (set: ReplicaSet) => number | undefined): number =>
      sets.reduce((sum, set) => sum + (count(set) ?? 0), 0);
    const replicas = total((set) => set.status?.replicas);
    const available = total((set) => set.status?.availableReplicas);
    const wanted = dispatchConfig.spec.replicas;
    this.deps.store.modify(DEPLOYMENTS, dispatchConfig, (draft) => {
      const old = (draft as Deployment).status?.conditions;
      draft.status = {
        observedGeneration: dispatchConfig.metadata.generation,
        replicas,
        updatedReplicas: current?.status?.replicas ?? 0,
        readyReplicas: total((set) => set.status?.readyReplicas),
        availableReplicas: available,
        unavailableReplicas: Math.max(0, wanted - available),
        conditions: conditionsOf(old, current, available >= wanted, this.deps.store.now()),
      };
    });
  }
}

function conditionsOf(
  old: readonly Condition[] | undefined,
  current: ReplicaSet | undefined,
  complete: boolean,
  now: string,
): Condition[] {
  const failure = current?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  const name = current?.metadata.name ?? '';
  const available = complete
    ? ({
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      } as const)
    : ({
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      } as const);
  const progress = complete
    ? { reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${name}" has successfully progressed.` }
    : { reason: 'ReplicaSetUpdated', message: `ReplicaSet "${name}" is progressing.` };
  const failed = failure === undefined ? [] : [failure];
  const kept = (old ?? []).filter(({ type }) => type !== 'ReplicaFailure');
  const withAvailable = withCondition(kept, available, now);
  return [...withCondition(withAvailable, { type: 'Progressing', status: 'True', ...progress }, now), ...failed];
}
