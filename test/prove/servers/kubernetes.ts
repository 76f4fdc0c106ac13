import type {
  KubernetesObject,
  V1ConfigMap,
  V1Deployment,
  V1Pod,
  V1PodSpec,
  V1PodTemplateSpec,
} from '@kubernetes/client-node';
import type { ApiRequest, ApiResponse, KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { FaultKind } from '../faults.ts';
import { wireOf, type Stored } from './kubernetes-objects.ts';
import { isTheirs } from '../sessions/session-invariants.ts';
import type { Failures, Invocation, Simulation } from '../simulation.ts';

const READ: readonly FaultKind[] = ['refused', 'throttled', 'lost', 'slow', 'crash-before', 'crash-after'];
const WRITE: readonly FaultKind[] = [...READ, 'late'];

const KINDS: Readonly<Record<string, string>> = {
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  pods: 'Pod',
  services: 'Service',
  configmaps: 'ConfigMap',
  secrets: 'Secret',
  events: 'Event',
  resourcequotas: 'ResourceQuota',
};

/** What the API server says no with; thrown inside, answered outside. */
class Refusal extends Error {
  override readonly name: string;
  readonly response: ApiResponse;

  constructor(status: number, reason: string, message: string, retryAfter?: number) {
    super(message);
    this.name = String(status);
    const details = retryAfter === undefined ? {} : { details: { retryAfterSeconds: retryAfter } };
    this.response = {
      status,
      body: { kind: 'Status', status: 'Failure', reason, message, code: status, ...details },
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
  }
}

const FAILURES: Failures = {
  refused: () => new Refusal(500, 'InternalError', 'etcdserver: request timed out'),
  throttled: () => new Refusal(429, 'TooManyRequests', 'too many requests', 1),
  noAnswer: () => new DispatchError('ClusterUnavailable', 'the Kubernetes API gave no answer within 10000 ms'),
};

interface Event {
  readonly object: string;
  readonly uid: string;
  readonly kind: string;
  readonly reason: string;
  readonly message: string;
  count: number;
  last: number;
}

/** What happens on Kubernetes that somebody outside would see. */
export interface KubernetesWatcher {
  created(object: Stored, by: string): void;
  /** Somebody asks for its end. */
  deleted(object: Stored, by: string): void;
  gone(object: Stored): void;
}

/** Of pods: JobManagers and TaskManagers share it. */
export interface Quota {
  readonly of: 'deployments' | 'pods';
  readonly most: number;
}

/** The API server of one cluster with the controllers, garbage collector and node that matter to a Flink cluster. */
export class Kubernetes {
  readonly objects = new Map<string, Stored>();
  readonly events: Event[] = [];
  watchers: KubernetesWatcher[] = [];
  quota: Quota | undefined;
  /** What the node starts in a JobManager's container. */
  onStart: (pod: Stored) => void = () => undefined;
  /** Text of a pod's log. */
  logOf: (pod: Stored, previous: boolean) => string = () => '';
  /** With which words it forbids a request; default: none. */
  forbids: (request: ApiRequest) => string | undefined = () => undefined;
  /** What it says of the right that somebody asks about; default: nothing. */
  grants: boolean | undefined;
  /** The node starts no pod. */
  startsNone = false;
  /** Milliseconds for which a pod that is deleted is still there when its containers have stopped. */
  lingers: (pod: Stored) => number = () => 0;
  /** Milliseconds for which a pod of a cluster is behind a scheduling gate. */
  gateFor: (pod: Stored) => number = () => 0;
  /** Whether the node can pull the image of a pod. */
  pulls: (pod: Stored) => boolean = () => true;
  private readonly sim: Simulation;
  private uids = 0;
  /** Until then the dispatcher has no rights: as when its Role was taken away. */
  /** Until then the dispatcher has no rights. */
  forbiddenUntil = 0;

  constructor(sim: Simulation) {
    this.sim = sim;
  }

  api(invocation: Invocation): KubernetesApi {
    return {
      request: async (request) => {
        const reads = request.method === 'GET';
        const what = `k8s ${request.method} ${shortOf(request)}`;
        try {
          return await this.sim.effect(invocation, {
            what,
            act: () => this.answer(request, invocation.label),
            kinds: reads ? READ : WRITE,
            failures: FAILURES,
            latency: [3, 60],
          });
        } catch (error) {
          if (error instanceof Refusal) return error.response;
          throw error;
        }
      },
    };
  }

  /** Without a function around it: as a person or a controller does. */
  find(kind: string, name: string): Stored | undefined {
    return this.objects.get(`${kind}/${name}`);
  }

  all(kind: string): readonly Stored[] {
    return [...this.objects.values()].filter((object) => object.kind === kind);
  }

  add(object: KubernetesObject, by: string): Stored {
    const { metadata } = object;
    this.uids += 1;
    const stored: Stored = {
      kind: object.kind ?? '',
      namespace: metadata?.namespace ?? 'flink',
      name: metadata?.name ?? '',
      uid: `uid-${this.uids}`,
      createdAt: this.sim.now,
      labels: metadata?.labels ?? {},
      annotations: metadata?.annotations ?? {},
      owners: (metadata?.ownerReferences ?? []).map(({ uid }) => uid),
      object: { ...object },
    };
    this.objects.set(keyOf(stored), stored);
    for (const watcher of this.watchers) watcher.created(stored, by);
    // Garbage that comes after its owner went is found by the collector.
    if (stored.owners.length > 0) this.collectLater(stored);
    if (stored.kind === 'Deployment' && by !== 'someone else') {
      this.deploy(stored);
      this.mayForbid(stored);
    }
    return stored;
  }

  private mayForbid({ name }: Stored): void {
    const { sim } = this;
    if (sim.faults.at(`rights on ${name}`, ['rights-gone'], 1) === undefined) return;
    sim.after(sim.draws.between(`rights on ${name} go`, 0, 60_000), () => {
      const lasts = sim.draws.between(`rights on ${name} come back`, 30_000, 3 * 60 * 60_000);
      sim.tell('someone else', `takes the dispatcher's rights for ${Math.round(lasts / 60_000)} min ⚡rights-gone`);
      this.forbiddenUntil = Math.max(this.forbiddenUntil, sim.now + lasts);
    });
  }

  drop(stored: Stored): void {
    if (this.objects.get(keyOf(stored)) !== stored) return;
    this.objects.delete(keyOf(stored));
    for (const watcher of this.watchers) watcher.gone(stored);
    this.sim.tell('kubernetes', `${stored.kind}/${stored.name} is gone`);
    for (const object of this.objects.values()) if (object.owners.includes(stored.uid)) this.collectLater(object);
  }

  /** A request to delete, by whoever. */
  remove(stored: Stored, policy: string, by: string): void {
    for (const watcher of this.watchers) watcher.deleted(stored, by);
    if (stored.kind === 'Deployment' && policy === 'Foreground') {
      if (stored.deletingAt !== undefined) return;
      stored.deletingAt = this.sim.now;
      this.removeInForeground(stored);
    } else if (stored.kind === 'Pod') this.endPod(stored);
    else this.drop(stored);
  }

  exists(stored: Stored): boolean {
    return this.objects.get(keyOf(stored)) === stored;
  }

  /** The pod's containers stop after their grace, then it is gone. */
  endPod(pod: Stored): void {
    if (pod.deletingAt !== undefined) return;
    pod.deletingAt = this.sim.now;
    const stuck = this.sim.faults.at(`pod ${pod.name} ends`, ['deletion-stuck'], 2);
    const grace = this.sim.draws.between(`grace ${pod.name}`, 300, 3_000) + (stuck === undefined ? 0 : 90_000);
    if (stuck !== undefined) this.sim.tell('kubernetes', `Pod/${pod.name} does not stop ⚡deletion-stuck`);
    this.sim.after(grace, () => this.stop(pod));
  }

  private stop(pod: Stored): void {
    const stays = this.lingers(pod);
    if (stays === 0) return this.drop(pod);
    const { restarts = 0 } = pod.container ?? {};
    pod.container = { state: 'terminated', reason: 'Error', exitCode: 143, restarts, finishedAt: this.sim.now };
    this.sim.after(stays, () => this.drop(pod));
  }

  note(object: Stored, reason: string, message: string): void {
    const known = this.events.find((event) => event.uid === object.uid && event.reason === reason);
    if (known === undefined) {
      const { name, kind, uid } = object;
      this.events.push({ object: name, kind, uid, reason, message, count: 1, last: this.sim.now });
    } else {
      known.count += 1;
      known.last = this.sim.now;
    }
  }

  private answer(request: ApiRequest, by: string): ApiResponse {
    const { namespace, resource, name, log } = partsOf(request.path);
    if (this.sim.now < this.forbiddenUntil) throw new Refusal(403, 'Forbidden', `${resource} is forbidden: no Role`);
    const forbidden = this.forbids(request);
    if (forbidden !== undefined) throw new Refusal(403, 'Forbidden', forbidden);
    if (resource === 'localsubjectaccessreviews') return { status: 201, body: { status: { allowed: this.grants } } };
    const kind = KINDS[resource] ?? resource;
    if (name === undefined) {
      if (request.method === 'POST') return this.create(request.body as KubernetesObject, by);
      return { status: 200, body: { items: this.list(kind, namespace, request.query ?? {}), metadata: {} } };
    }
    const found = this.objects.get(keyOf({ kind, namespace, name }));
    const stored = found?.namespace === namespace ? found : undefined;
    if (stored === undefined) throw new Refusal(404, 'NotFound', `${resource} "${name}" not found`);
    if (log) return this.log(stored, request);
    if (request.method === 'GET') return { status: 200, body: wireOf(stored) };
    if (request.method === 'DELETE') return this.deletion(stored, request, by);
    if (request.method === 'PATCH') return this.merge(stored, request.body as V1ConfigMap);
    throw new Refusal(405, 'MethodNotAllowed', request.method);
  }

  private create(object: KubernetesObject, by: string): ApiResponse {
    const kind = object.kind ?? '';
    const name = object.metadata?.name ?? '';
    if (kind === 'Deployment') this.mayTakeName(object, name);
    const { quota } = this;
    // What others have made for good takes no room, or none would ever be.
    const ours = this.all('Deployment').filter(({ annotations }) => Object.keys(annotations).length > 0);
    if (kind === 'Deployment' && quota?.of === 'deployments' && ours.length >= quota.most) {
      throw new Refusal(403, 'Forbidden', `deployments.apps "${name}" is forbidden: exceeded quota: small`);
    }
    // After the quota, as in the API server.
    if (this.objects.has(keyOf({ kind, namespace: object.metadata?.namespace ?? '', name })))
      throw new Refusal(409, 'AlreadyExists', `${kind} "${name}" already exists`);
    return { status: 201, body: wireOf(this.add(object, by)) };
  }

  /** Somebody else makes a Deployment of this name a moment earlier. */
  private mayTakeName(object: KubernetesObject, name: string): void {
    if (this.find('Deployment', name) !== undefined) return;
    if (this.sim.faults.at(`deployment ${name} taken`, ['name-taken'], 0.3) === undefined) return;
    const labels = { app: name, type: 'flink-native-kubernetes', component: 'jobmanager' };
    this.sim.tell('someone else', `makes Deployment/${name} ⚡name-taken`);
    const taken = { kind: 'Deployment', metadata: { name, namespace: object.metadata?.namespace ?? '', labels } };
    this.add(taken, 'someone else');
  }

  private deletion(stored: Stored, { body }: ApiRequest, by: string): ApiResponse {
    const { preconditions, propagationPolicy = 'Background' } = (body ?? {}) as {
      readonly preconditions?: { readonly uid?: string };
      readonly propagationPolicy?: string;
    };
    if (preconditions?.uid !== undefined && preconditions.uid !== stored.uid) {
      throw new Refusal(409, 'Conflict', 'the UID in the precondition does not match');
    }
    this.remove(stored, propagationPolicy, by);
    return { status: 200, body: { kind: 'Status', status: 'Success' } };
  }

  /** A merge patch of a ConfigMap's data: `null` takes a key away. */
  private merge(stored: Stored, { data: changes = {} }: V1ConfigMap): ApiResponse {
    const map = stored.object as V1ConfigMap;
    const merged = Object.entries({ ...map.data, ...changes }).filter(([, value]) => (value as unknown) !== null);
    map.data = Object.fromEntries(merged);
    return { status: 200, body: wireOf(stored) };
  }

  private log(pod: Stored, { query }: ApiRequest): ApiResponse {
    const previous = query?.['previous'] === 'true';
    if (pod.container === undefined || (previous && pod.container.restarts === 0)) {
      throw new Refusal(400, 'BadRequest', 'no such container');
    }
    return { status: 200, body: this.logOf(pod, previous) };
  }

  private list(kind: string, namespace: string, query: Readonly<Record<string, string>>): readonly unknown[] {
    if (kind === 'ResourceQuota') return this.quotas(namespace);
    if (kind === 'Event') return this.listEvents(query['fieldSelector'] ?? '');
    const wanted = (query['labelSelector'] ?? '').split(',').flatMap((term) => {
      const [name, value] = term.split('=');
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    });
    return this.all(kind)
      .filter((object) => object.namespace === namespace)
      .filter(({ labels }) => wanted.every(([name, value]) => labels[name] === value))
      .map(wireOf);
  }

  private listEvents(selector: string): readonly unknown[] {
    const [, uid] = /involvedObject\.uid=(.*)/.exec(selector) ?? [];
    const found = this.events.filter((event) =>
      uid === undefined ? event.kind === 'ReplicaSet' && event.reason === 'FailedCreate' : event.uid === uid,
    );
    return found.map(({ object, kind, reason, message, count, last }) => ({
      metadata: {},
      involvedObject: { kind, name: object },
      type: 'Warning',
      reason,
      message,
      count,
      lastTimestamp: new Date(last).toISOString(),
    }));
  }

  /** Somebody makes a Deployment that is gone anew, from what they kept of it: only its uid is another one. */
  addCopy({ name, namespace, labels, annotations, object }: Stored): void {
    const metadata = { ...object.metadata, name, namespace, labels, annotations };
    this.deploy(this.add({ ...object, metadata }, 'someone else'));
  }

  /** Deployment and ReplicaSet controllers, scheduler. */
  private deploy(deployment: Stored): void {
    const { sim } = this;
    sim.after(sim.draws.between(`replicaset ${deployment.uid}`, 10, 800), () => {
      if (!this.exists(deployment) || deployment.deletingAt !== undefined) return;
      const { template } = (deployment.object as V1Deployment).spec ?? {};
      const metadata = {
        name: `${deployment.name}-rs`,
        namespace: deployment.namespace,
        labels: template?.metadata?.labels ?? {},
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.name, uid: deployment.uid }],
      };
      const set = this.add({ kind: 'ReplicaSet', metadata }, 'controller');
      this.makePod(set, template);
    });
  }

  makePod(set: Stored, template: V1PodTemplateSpec | undefined, number = 1): void {
    if (!this.exists(set)) return;
    const { sim } = this;
    if (!this.hasRoom(set.namespace)) {
      this.note(set, 'FailedCreate', `Error creating: pods "${set.name}-" is forbidden: exceeded quota: small`);
      sim.after(5_000, () => this.makePod(set, template, number));
      return;
    }
    const name = `${set.name}-${number}`;
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.name, uid: set.uid }];
    const labels = template?.metadata?.labels ?? {};
    const metadata = { name, namespace: set.namespace, labels, ownerReferences };
    const pod = this.add({ kind: 'Pod', metadata, spec: template?.spec } as KubernetesObject, 'controller');
    pod.phase = 'Pending';
    const gated = this.gateFor(pod);
    if (gated > 0) this.gate(pod, gated);
    else this.schedule(pod);
    this.mayEvict(pod, set, template, number);
  }

  private schedule(pod: Stored): void {
    pod.container = { state: 'waiting', reason: 'ContainerCreating', restarts: 0 };
    this.sim.after(this.sim.draws.between(`scheduled ${pod.name}`, 30, 1_500), () => this.startPod(pod));
  }

  private gate(pod: Stored, duration: number): void {
    pod.gateOpensAt = this.sim.now + duration;
    this.sim.after(duration, () => {
      this.sim.tell('kubernetes', `the gate of Pod/${pod.name} opens`);
      delete pod.gateOpensAt;
      if (this.exists(pod)) this.schedule(pod);
    });
  }

  private hasRoom(namespace: string): boolean {
    const { quota } = this;
    return quota?.of !== 'pods' || this.countedPods(namespace) < quota.most;
  }

  /** Pods that have ended take no room. */
  private countedPods(namespace: string): number {
    return this.all('Pod').filter((pod) => pod.namespace === namespace && !isTheirs(pod) && pod.phase !== 'Failed')
      .length;
  }

  /** As a JobManager makes one. False: the quota refuses it. */
  makeTaskManager(clusterId: string): boolean {
    const name = `${clusterId}-taskmanager-1-1`;
    if (this.find('Pod', name) !== undefined) return true;
    const { uid = '', namespace = '' } = this.find('Deployment', clusterId) ?? {};
    if (!this.hasRoom(namespace)) return false;
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: clusterId, uid }];
    const labels = { app: clusterId, type: 'flink-native-kubernetes', component: 'taskmanager' };
    const pod = this.add({ kind: 'Pod', metadata: { name, namespace, labels, ownerReferences } }, 'flink');
    pod.phase = 'Running';
    pod.container = { state: 'running', restarts: 0, startedAt: this.sim.now };
    return true;
  }

  private quotas(namespace: string): readonly unknown[] {
    const { quota } = this;
    if (quota === undefined) return [];
    const what = quota.of === 'pods' ? 'pods' : 'count/deployments.apps';
    const hard = { [what]: String(quota.most) };
    return [
      {
        metadata: { name: 'small' },
        spec: { hard },
        status: { hard, used: { pods: String(this.countedPods(namespace)) } },
      },
    ];
  }

  private mayEvict(pod: Stored, set: Stored, template: V1PodTemplateSpec | undefined, number: number): void {
    const { sim } = this;
    if (sim.faults.at(`pod ${pod.name} evicted`, ['pod-evicted'], 1) === undefined) return;
    sim.after(sim.draws.between(`evicted ${pod.name}`, 500, 20_000), () => {
      if (!this.exists(pod) || pod.deletingAt !== undefined) return;
      sim.tell('kubernetes', `Pod/${pod.name} is evicted ⚡pod-evicted`);
      pod.phase = 'Failed';
      pod.podReason = 'Evicted';
      const { container } = pod;
      if (container?.state === 'running' || container?.last !== undefined) {
        pod.container = { state: 'terminated', reason: 'Error', exitCode: 137, restarts: 0, finishedAt: sim.now };
      }
      this.makePod(set, template, number + 1);
    });
  }

  /** The kubelet looks for ConfigMaps by their names: for volumes before a pod's first start, for variables at every one. */
  startPod(pod: Stored): void {
    if (!this.exists(pod) || pod.deletingAt !== undefined || pod.container === undefined || pod.phase === 'Failed')
      return;
    if (pod.container.state === 'running') return;
    if (this.startsNone) return this.sim.after(500, () => pod.phase === 'Pending' && this.startPod(pod));
    if (!this.pulls(pod)) {
      pod.container = { ...pod.container, reason: 'ErrImagePull', message: 'not found' };
      return;
    }
    const { spec } = pod.object as V1Pod;
    const volumes = pod.phase === 'Pending' ? volumesOf(spec) : [];
    const missing = volumes.find((name) => this.find('ConfigMap', name) === undefined);
    if (missing !== undefined) {
      pod.mounts = (pod.mounts ?? 0) + 1;
      this.note(pod, 'FailedMount', `configmap "${missing}" not found`);
      this.sim.after(Math.min(10_000, 500 * 2 ** pod.mounts), () => this.startPod(pod));
      return;
    }
    const unset = variablesOf(spec).find(({ name, key }) => this.configMap(name)?.data?.[key] === undefined);
    if (unset !== undefined) {
      const { name, key } = unset;
      const message =
        this.configMap(name) === undefined
          ? `configmap "${name}" not found`
          : `couldn't find key ${key} in ConfigMap ${pod.namespace}/${name}`;
      pod.container = { ...pod.container, state: 'waiting', reason: 'CreateContainerConfigError', message };
      this.sim.after(5_000, () => this.startPod(pod));
      return;
    }
    pod.phase = 'Running';
    pod.container = { ...pod.container, state: 'running', startedAt: this.sim.now };
    delete pod.container.reason;
    delete pod.container.message;
    this.onStart(pod);
  }

  private configMap(name: string): V1ConfigMap | undefined {
    return this.find('ConfigMap', name)?.object;
  }

  /** The container's process ends; the kubelet starts it again, the first time at once. */
  crash(pod: Stored, exitCode: number, atOnce = false): void {
    const { container } = pod;
    if (!this.exists(pod) || container?.state !== 'running') return;
    const log = this.logOf(pod, false);
    const last = { reason: 'Error', exitCode, finishedAt: this.sim.now };
    const restarts = container.restarts + 1;
    pod.container = { state: 'waiting', reason: 'CrashLoopBackOff', restarts, last, previousLog: log };
    const latest = atOnce ? 1_000 : 10_000;
    this.sim.after(this.sim.draws.between(`restart ${pod.name} ${restarts}`, 500, latest), () => this.startPod(pod));
  }

  private removeInForeground(deployment: Stored): void {
    const { sim } = this;
    const begin = sim.draws.between(`collect ${deployment.uid}`, 50, 1_000);
    sim.after(begin, () => {
      for (const object of this.dependantsOf(deployment)) {
        if (object.kind === 'Pod') this.endPod(object);
        else if (object.kind !== 'ReplicaSet' && object.kind !== 'Deployment') this.drop(object);
      }
      this.finishForeground(deployment);
    });
  }

  private finishForeground(deployment: Stored): void {
    if (!this.exists(deployment)) return;
    const left = this.dependantsOf(deployment);
    if (left.some(({ kind }) => kind === 'Pod')) {
      for (const pod of left) if (pod.kind === 'Pod') this.endPod(pod);
      this.sim.after(400, () => this.finishForeground(deployment));
      return;
    }
    for (const object of left) this.drop(object);
    this.drop(deployment);
  }

  private dependantsOf(owner: Stored): readonly Stored[] {
    const direct = [...this.objects.values()].filter(({ owners }) => owners.includes(owner.uid));
    return direct.flatMap((object) => [...this.dependantsOf(object), object]);
  }

  private collectLater(object: Stored): void {
    this.sim.after(this.sim.draws.between(`garbage ${object.uid}`, 500, 4_000), () => {
      if (!this.exists(object)) return;
      const owned = [...this.objects.values()].some(({ uid }) => object.owners.includes(uid));
      if (owned || object.owners.length === 0) return;
      if (object.kind === 'Pod') this.endPod(object);
      else this.drop(object);
    });
  }
}

/** Names of this world are of one namespace each, but for what every namespace has. */
function keyOf({ kind, namespace, name }: Pick<Stored, 'kind' | 'namespace' | 'name'>): string {
  return name === 'flink-dispatch-admission' ? `${kind}/${namespace}/${name}` : `${kind}/${name}`;
}

function volumesOf(spec: V1PodSpec | undefined): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []);
}

function variablesOf(spec: V1PodSpec | undefined): readonly { readonly name: string; readonly key: string }[] {
  const variables = (spec?.containers ?? []).flatMap(({ env }) => env ?? []);
  return variables.flatMap(({ valueFrom }) => {
    const { name, key } = valueFrom?.configMapKeyRef ?? {};
    return name === undefined || key === undefined ? [] : [{ name, key }];
  });
}

interface Parts {
  readonly namespace: string;
  readonly resource: string;
  readonly name?: string;
  readonly log: boolean;
}

function partsOf(path: string): Parts {
  const segments = path.split('/').slice(1).map(decodeURIComponent);
  const [namespace = '', resource = '', name, sub] = segments.slice(segments.indexOf('namespaces') + 1);
  return { namespace, resource, ...(name === undefined ? {} : { name }), log: sub === 'log' };
}

function shortOf({ path, method, body, query }: ApiRequest): string {
  const { resource, name, log } = partsOf(path);
  if (method === 'POST') return `${resource}/${(body as KubernetesObject).metadata?.name ?? ''}`;
  if (name !== undefined) return `${resource}/${name}${log ? '/log' : ''}`;
  return `${resource}?${query?.['labelSelector']?.split(',')[0] ?? query?.['fieldSelector'] ?? ''}`;
}
