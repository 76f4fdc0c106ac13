import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { Node, NodeServices } from '../../packages/local-kubernetes/src/node/node-services.ts';
import { podStatus, waitingStatus } from '../../packages/local-kubernetes/src/node/pod-status.ts';
import { placePod } from '../../packages/local-kubernetes/src/node/scheduler.ts';
import type { KubeObject, Pod } from '../../packages/local-kubernetes/src/objects.ts';
import { CONFIG_MAPS, PODS } from '../../packages/local-kubernetes/src/resources.ts';
import type { Change } from '../../packages/local-kubernetes/src/store.ts';
import { readConfiguration } from '../../lib/flink/config/files.ts';
import { answerOf, type SimulatedJob } from './job-manager.ts';

const REST = 8081;

export interface SimulatedFlink {
  /** Milliseconds from the pod's place to its REST endpoint. */
  readonly starts: number;
  /** Milliseconds that a job runs. */
  readonly runs: (clusterId: string) => number;
  /** Milliseconds from the wish to delete a pod until it is gone. */
  readonly stops: number;
}

/** A program that a JobManager began. */
export interface Begun {
  readonly clusterId: string;
  readonly jobId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly endsAt: number;
}

/**
 * A node on which a JobManager is an HTTP server of this process: hundreds of clusters on one machine. As the kubelet does,
 * it starts a pod when all ConfigMaps that it names are there.
 */
export class SimulatedNode implements Node {
  /** All programs that ever began here, in order. */
  readonly begun: Begun[] = [];
  /** The most pods that ever had a place at once. */
  most = 0;
  readonly #services: NodeServices;
  readonly #flink: SimulatedFlink;
  /** Pods that have a place, and their servers once they run. */
  readonly #pods = new Map<string, Server | undefined>();
  /** Pods that wait for a ConfigMap. */
  readonly #waiting = new Map<string, Pod>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(services: NodeServices, flink: SimulatedFlink) {
    this.#services = services;
    this.#flink = flink;
  }

  /** It has no logs. */
  runner(): undefined {
    return undefined;
  }

  onChange({ type, resource, object }: Change): void {
    if (resource === CONFIG_MAPS && type === 'ADDED') setImmediate(() => this.#startWaiting());
    if (resource !== PODS) return;
    if (type === 'ADDED') setImmediate(() => this.#place(object as Pod));
    else if (type === 'DELETED') this.#end(object.metadata.uid);
    else if (object.metadata.deletionTimestamp !== undefined) {
      this.#waiting.delete(object.metadata.uid);
      this.#after(this.#flink.stops, () => this.#services.store.remove(PODS, object));
    }
  }

  stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const uid of [...this.#pods.keys()]) this.#end(uid);
    return Promise.resolve();
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #place(pod: Pod): void {
    const { store, events } = this.#services;
    const placed = placePod(store, events, pod);
    if (placed === undefined) return;
    this.#pods.set(placed.metadata.uid, undefined);
    this.most = Math.max(this.most, this.#pods.size);
    this.#waiting.set(placed.metadata.uid, placed);
    this.#startWaiting();
  }

  #startWaiting(): void {
    for (const [uid, pod] of this.#waiting) {
      if (!this.#hasAll(pod)) continue;
      this.#waiting.delete(uid);
      this.#after(this.#flink.starts, () => void this.#start(pod).catch(this.#services.onError));
    }
  }

  #hasAll({ metadata: { namespace }, spec }: Pod): boolean {
    const mounted = (spec.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []);
    const read = spec.containers.flatMap(({ env = [] }) =>
      env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []),
    );
    return [...mounted, ...read].every((name) => this.#services.store.find(CONFIG_MAPS, namespace, name) !== undefined);
  }

  async #start(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    const { addresses } = this.#services;
    const address = await addresses.allocate({ uid, controller: undefined, ports: [REST], shared: false });
    const job = this.#jobOf(pod);
    const { jobId, startedAt } = job;
    const server = await serve(job, address.ip, address.port(REST));
    // Gone meanwhile.
    if (!this.#pods.has(uid)) return void close(server);
    this.#pods.set(uid, server);
    this.begun.push({ clusterId: job.name, jobId, at: startedAt, endsAt: startedAt + job.runs });
    this.#setRunning(pod, address.ip);
  }

  #setRunning(pod: Pod, podIP: string): void {
    const { store } = this.#services;
    const startedAt = store.now();
    const statuses = pod.spec.containers.map((container) => ({
      ...waitingStatus(container, 'ContainerCreating'),
      ready: true,
      started: true,
      state: { running: { startedAt } },
    }));
    store.modify(PODS, pod, (draft) => {
      draft.status = { ...podStatus(draft as Pod, [], statuses, startedAt), podIP, startTime: startedAt };
    });
  }

  /** Flink reads its job's id from its configuration as well, and draws one where none is fixed. */
  #jobOf(pod: Pod): SimulatedJob {
    const name = pod.metadata.labels?.['app'] ?? '';
    const map = this.#services.store.get(CONFIG_MAPS, pod.metadata.namespace, `flink-config-${name}`) as KubeObject & {
      readonly data: Readonly<Record<string, string>>;
    };
    const jobId = readConfiguration(map.data, '2.3')['$internal.pipeline.job-id'] ?? randomBytes(16).toString('hex');
    return { jobId, name, startedAt: Date.now(), runs: this.#flink.runs(name) };
  }

  #end(uid: string): void {
    const server = this.#pods.get(uid);
    this.#pods.delete(uid);
    this.#waiting.delete(uid);
    this.#services.addresses.release(uid);
    if (server !== undefined) close(server);
  }
}

/** A JobManager's REST endpoint. */
function serve(job: SimulatedJob, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://job-manager');
    if (request.method === 'PATCH') job.canceledAt ??= Date.now();
    const found = request.method === 'PATCH' ? {} : answerOf(job, pathname, Date.now());
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { errors: [`Not found: ${pathname}`] }));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}
