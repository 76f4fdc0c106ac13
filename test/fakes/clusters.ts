import type { KubernetesObject } from '@kubernetes/client-node';
import type { Clock, Instant } from '../../lib/core/clock.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import type { FlinkCluster } from '../../lib/flink/cluster.ts';
import type {
  ClusterAccess,
  ClusterInventory,
  ClusterRef,
  KubernetesFacts,
  Owner,
  Removal,
} from '../../lib/kubernetes/cluster/port.ts';
import { clusterId as asClusterId } from './ids.ts';
import { describeOwner, isSameOwner } from '../../lib/kubernetes/cluster/owner-metadata.ts';

type Method = 'admit' | 'apply' | 'observe' | 'remove' | 'remains' | 'tail' | 'list' | 'withdraw' | 'renew';

export interface StandingCluster {
  readonly uid: string;
  readonly owner: Owner;
  readonly createdAt: Instant;
  deleting: boolean;
  /** `Kind/name` of what was made beside the Deployment. */
  readonly dependents: Set<string>;
  /** Whether its permit to start was withdrawn, which no later `apply` grants again. */
  withheld: boolean;
}

/**
 * Kubernetes in memory, for one or many namespaces: nothing happens by itself, so that a test decides what a look sees.
 * What is removed is gone after `looksToGo` looks at what remains.
 */
export interface FakeClusters extends ClusterAccess {
  /** Answers to `remains` that still name what was removed; default 0. */
  looksToGo: number;
  readonly calls: Method[];
  standing(ref: ClusterRef): StandingCluster | undefined;
  /** Somebody else removes the cluster. */
  vanish(ref: ClusterRef): void;
  /** High-availability ConfigMaps, as a JobManager writes them. */
  addHighAvailability(ref: ClusterRef, name: string): void;
}

interface State {
  readonly clusters: Map<string, StandingCluster>;
  readonly going: Map<string, { looks: number; names: readonly string[] }>;
  readonly highAvailability: Map<string, Set<string>>;
  /** Uids of Deployments that have all that they need to start. */
  readonly complete: Set<string>;
  uids: number;
}

export function createFakeClusters(clock: Pick<Clock, 'now'>): FakeClusters {
  const state: State = {
    clusters: new Map(),
    going: new Map(),
    highAvailability: new Map(),
    complete: new Set(),
    uids: 0,
  };
  const fake = (method: Method): (<T>(act: () => T) => Promise<T>) => {
    return async (act) => {
      self.calls.push(method);
      return Promise.resolve(act());
    };
  };
  const self: FakeClusters = {
    looksToGo: 0,
    calls: [],
    standing: (ref) => state.clusters.get(keyOf(ref)),
    vanish: (ref) => void state.clusters.delete(keyOf(ref)),
    addHighAvailability(ref, name) {
      const names = state.highAvailability.get(keyOf(ref)) ?? new Set<string>();
      state.highAvailability.set(keyOf(ref), names.add(`ConfigMap/${name}`));
    },
    admit: () => fake('admit')(() => ({ settle: () => Promise.resolve(), giveBack: () => Promise.resolve() })),
    async apply(cluster, owner, mayStart) {
      const result = await fake('apply')(() => apply(state, clock.now(), { cluster, owner }));
      const { uid = '' } = state.clusters.get(keyOf(cluster)) ?? {};
      // Whether a run's program may begin is asked of the true one alone.
      if (owner.kind === 'pool') await mayStart?.(uid);
      state.complete.add(uid);
      return result;
    },
    removeLeftovers: (ref, uid) =>
      Promise.resolve(state.complete.has(uid) ? undefined : void state.highAvailability.delete(keyOf(ref))),
    observe: (ref) => fake('observe')(() => factsOf(state.clusters.get(keyOf(ref)))),
    remove: (ref, what) => fake('remove')(() => remove(state, self, ref, what)),
    remains: (ref, what = { highAvailability: true }) => fake('remains')(() => remains(state, ref, what)),
    tail: (_ref, pod, { container }) => fake('tail')(() => ({ pod, container, text: '' })),
    hasRight: () => Promise.resolve(undefined),
    list: (namespace) => fake('list')(() => list(state, namespace)),
    renew: (ref, owner, objects) => fake('renew')(() => renew(state, ref, owner, objects)),
    revoke: (ref, owner) =>
      fake('withdraw')(() => {
        const standing = state.clusters.get(keyOf(ref));
        if (standing === undefined || !isSameOwner(standing.owner, owner)) return;
        standing.withheld = true;
        standing.dependents.add(`ConfigMap/start-permit-${ref.clusterId}`);
      }),
  };
  return self;
}

function keyOf({ namespace, clusterId }: ClusterRef): string {
  return `${namespace}/${clusterId}`;
}

interface Application {
  readonly cluster: FlinkCluster;
  readonly owner: Owner;
}

function apply(state: State, now: Instant, { cluster, owner }: Application): 'created' | 'found' {
  const key = keyOf(cluster);
  if (state.going.has(key)) throw new DispatchError('ClusterUnavailable', `Deployment ${key} is being deleted`);
  const names = cluster.dependents.map(nameOf);
  const standing = state.clusters.get(key);
  if (standing === undefined) {
    state.uids += 1;
    state.clusters.set(key, {
      uid: `uid-${state.uids}`,
      owner,
      createdAt: now,
      deleting: false,
      dependents: new Set(names),
      withheld: false,
    });
    return 'created';
  }
  if (!isSameOwner(standing.owner, owner)) {
    throw new DispatchError('ClusterNameTaken', `Deployment ${key} belongs to ${describeOwner(standing.owner)}`);
  }
  const missing = names.filter((name) => !standing.dependents.has(name));
  for (const name of missing) standing.dependents.add(name);
  return missing.length === 0 ? 'found' : 'created';
}

function renew(
  state: State,
  ref: ClusterRef,
  owner: Owner,
  objects: readonly KubernetesObject[],
): 'renewed' | 'absent' {
  const standing = state.clusters.get(keyOf(ref));
  if (standing === undefined || !isSameOwner(standing.owner, owner)) return 'absent';
  for (const object of objects) standing.dependents.add(nameOf(object));
  return 'renewed';
}

function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind ?? ''}/${metadata?.name ?? ''}`;
}

function factsOf(standing: StandingCluster | undefined): KubernetesFacts {
  if (standing === undefined) return { deployment: { state: 'absent' }, pods: [], events: [] };
  const { uid, owner, deleting, createdAt } = standing;
  const deployment = { state: 'present', uid, owner, deleting, createdAt, desiredReplicas: 1, conditions: [] } as const;
  return { deployment, pods: [], events: [] };
}

/** As `Removal` has it. */
function isForeign(standing: StandingCluster | undefined, { uid, owner }: Removal): boolean {
  if (standing === undefined) return false;
  if (uid !== undefined) return uid !== standing.uid;
  return owner !== undefined && !isSameOwner(standing.owner, owner);
}

function remove(state: State, self: FakeClusters, ref: ClusterRef, what: Removal): void {
  const key = keyOf(ref);
  const standing = state.clusters.get(key);
  if (isForeign(standing, what)) return;
  if (standing !== undefined) {
    const names = [`Deployment/${ref.clusterId}`, ...standing.dependents];
    state.clusters.delete(key);
    if (self.looksToGo > 0) state.going.set(key, { looks: self.looksToGo, names });
  }
  if (what.highAvailability) state.highAvailability.delete(key);
}

function remains(state: State, ref: ClusterRef, what: Removal): readonly string[] {
  const key = keyOf(ref);
  if (isForeign(state.clusters.get(key), what)) return [];
  const metadata = what.highAvailability ? [...(state.highAvailability.get(key) ?? [])] : [];
  const going = state.going.get(key);
  if (going !== undefined) {
    going.looks -= 1;
    if (going.looks <= 0) state.going.delete(key);
    return [...going.names, ...metadata];
  }
  const standing = state.clusters.get(key);
  if (standing === undefined) return metadata;
  return [`Deployment/${ref.clusterId}`, ...standing.dependents, ...metadata];
}

function list(state: State, namespace: string): Awaited<ReturnType<ClusterInventory['list']>> {
  return [...state.clusters].flatMap(([key, { uid, owner, createdAt }]) => {
    const [in_, clusterId] = key.split('/');
    if (in_ !== namespace || clusterId === undefined) return [];
    const ref = { namespace, clusterId: asClusterId(clusterId) };
    return [{ ...ref, uid, owner, createdAt }];
  });
}
