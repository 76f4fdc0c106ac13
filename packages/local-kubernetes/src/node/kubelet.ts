import type { Pod } from '../objects.ts';
import { NODES, PODS } from '../resources.ts';
import type { Change } from '../store.ts';
import { NODE_NAME, type Node, type NodeServices } from './node-services.ts';
import { PodRunner } from './pod-runner.ts';
import { placePod } from './scheduler.ts';

/** The one node: finds a place for pods, runs them, ends them. */
export class Kubelet implements Node {
  readonly #services: NodeServices;
  readonly #runners = new Map<string, PodRunner>();
  #stopped = false;

  constructor(services: NodeServices) {
    this.#services = services;
  }

  runner(pod: Pod): PodRunner | undefined {
    return this.#runners.get(pod.metadata.uid);
  }

  onChange({ type, resource, object }: Change): void {
    if (this.#stopped || resource !== PODS) return;
    const { uid } = object.metadata;
    if (type === 'ADDED')
      setImmediate(() => {
        this.#admit(object as Pod);
      });
    else if (type === 'DELETED') {
      this.#forget(uid, 0);
      this.#admitWaiting();
    } else if (object.metadata.deletionTimestamp !== undefined) {
      this.#forget(uid, object.metadata.deletionGracePeriodSeconds ?? 0);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#runners.values()].map((runner) => runner.end(0)));
  }

  #admit(pod: Pod): void {
    const { store } = this.#services;
    const current = store.find(PODS, pod.metadata.namespace, pod.metadata.name) as Pod | undefined;
    if (this.#stopped || current?.metadata.uid !== pod.metadata.uid || current.metadata.deletionTimestamp !== undefined)
      return;
    const placed = placePod(store, this.#services.events, current);
    if (placed === undefined || this.#runners.has(placed.metadata.uid)) return;
    const runner = new PodRunner(this.#services, placed);
    this.#runners.set(placed.metadata.uid, runner);
    runner.start();
  }

  /** Room became free: pods without a place try again. */
  #admitWaiting(): void {
    for (const pod of this.#services.store.list(PODS) as Pod[]) {
      if (pod.spec.nodeName === undefined)
        setImmediate(() => {
          this.#admit(pod);
        });
    }
  }

  #forget(uid: string, grace: number): void {
    const runner = this.#runners.get(uid);
    runner
      ?.end(grace)
      .catch(this.#services.onError)
      .finally(() => this.#runners.delete(uid));
  }
}

export function nodeObject(capacity: { cpu: string; memory: string; pods: string }, ip: string): object {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    apiVersion: 'v1',
    kind: NODES.kind,
    metadata: {
      name: NODE_NAME,
      labels: {
        'kubernetes.io/hostname': NODE_NAME,
        'kubernetes.io/os': platform,
        'kubernetes.io/arch': architecture,
      },
    },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address: ip },
        { type: 'Hostname', address: NODE_NAME },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'pods are processes here' }],
    },
  };
}
