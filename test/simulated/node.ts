import type { Server } from 'node:http';
import type { Node, NodeServices } from '../../infra/local/kubernetes/node/node-services.ts';
import { podStatus, waitingStatus } from '../../infra/local/kubernetes/node/pod-status.ts';
import { placePod } from '../../infra/local/kubernetes/node/scheduler.ts';
import type { KubeObject, Pod } from '../../infra/local/kubernetes/objects.ts';
import { CONFIG_MAPS, PODS } from '../../infra/local/kubernetes/resources.ts';
import type { Change } from '../../infra/local/kubernetes/store.ts';
import { readConfiguration } from '../../lib/flink/config/files.ts';
import { startJobManager } from './job-manager.ts';

const REST = 8081;

export interface SimulatedFlink {
  /** Milliseconds that a job runs. */
  readonly runs: number;
}

/** A node on which a Flink JobManager is an HTTP server of this process: hundreds of clusters on one machine. */
export class SimulatedNode implements Node {
  /** The most JobManagers that ever ran at once. */
  most = 0;
  readonly #services: NodeServices;
  readonly #flink: SimulatedFlink;
  readonly #running = new Map<string, Promise<Server>>();

  constructor(services: NodeServices, flink: SimulatedFlink) {
    this.#services = services;
    this.#flink = flink;
  }

  runner(): undefined {
    return undefined;
  }

  onChange({ type, resource, object }: Change): void {
    if (resource !== PODS) return;
    if (type === 'ADDED')
      setImmediate(() => {
        this.#start(object as Pod).catch(this.#services.onError);
      });
    else if (type === 'DELETED') this.#end(object.metadata.uid).catch(this.#services.onError);
    else if (object.metadata.deletionTimestamp !== undefined) {
      setImmediate(() => {
        this.#services.store.remove(PODS, object);
      });
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((uid) => this.#end(uid)));
  }

  async #start(pod: Pod): Promise<void> {
    const { store, events, addresses } = this.#services;
    const placed = placePod(store, events, pod);
    if (placed === undefined) return;
    const { uid } = placed.metadata;
    const address = await addresses.allocate({ uid, controller: undefined, ports: [REST], shared: true });
    const job = { jobId: this.#jobIdOf(placed), name: 'simulated', startedAt: Date.now(), runs: this.#flink.runs };
    const server = startJobManager(job, address.port(REST));
    this.#running.set(uid, server);
    this.most = Math.max(this.most, this.#running.size);
    await server;
    this.#setRunning(placed, address.ip);
  }

  #setRunning(pod: Pod, ip: string): void {
    const { store } = this.#services;
    const startedAt = store.now();
    const statuses = pod.spec.containers.map((container) => ({
      ...waitingStatus(container, 'ContainerCreating'),
      ready: true,
      started: true,
      state: { running: { startedAt } },
    }));
    store.modify(PODS, pod, (draft) => {
      draft.status = { ...podStatus(draft as Pod, [], statuses, startedAt), podIP: ip, startTime: startedAt };
    });
  }

  /** Flink reads it from its configuration as well. */
  #jobIdOf(pod: Pod): string {
    const { store } = this.#services;
    const name = `flink-config-${pod.metadata.labels?.['app'] ?? ''}`;
    const map = store.get(CONFIG_MAPS, pod.metadata.namespace, name) as KubeObject & {
      readonly data: Readonly<Record<string, string>>;
    };
    return readConfiguration(map.data, '2.3')['$internal.pipeline.job-id'] ?? '';
  }

  async #end(uid: string): Promise<void> {
    const running = this.#running.get(uid);
    this.#running.delete(uid);
    this.#services.addresses.release(uid);
    const server = await running;
    server?.closeAllConnections();
    server?.close();
  }
}
