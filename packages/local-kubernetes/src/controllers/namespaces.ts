import { requestDeletion } from '../deletion.ts';
import type { KubeObject } from '../objects.ts';
import { NAMESPACES, RESOURCES, SERVICE_ACCOUNTS } from '../resources.ts';
import type { Change, Store } from '../store.ts';
import { WorkQueue } from '../work-queue.ts';
import { newMetadata } from './pod-template.ts';

/** Gives each namespace its default service account, and empties the ones that are deleted. */
export class Namespaces {
  readonly #store: Store;
  readonly #queue: WorkQueue;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#queue = new WorkQueue((name) => {
      this.#reconcile(name);
    }, onError);
  }

  onChange({ type, resource, object }: Change): void {
    if (resource === NAMESPACES && type === 'ADDED') this.#addDefaultAccount(object.metadata.name);
    if (resource === NAMESPACES && type === 'MODIFIED') this.#queue.add(object.metadata.name);
    if (type === 'DELETED' && object.metadata.namespace !== undefined) this.#queue.add(object.metadata.namespace);
  }

  stop(): void {
    this.#queue.stop();
  }

  #addDefaultAccount(namespace: string): void {
    const metadata = newMetadata(namespace, 'default');
    this.#store.create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }

  #reconcile(name: string): void {
    const namespace = this.#store.find(NAMESPACES, undefined, name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    this.#store.modify(NAMESPACES, namespace, (draft) => {
      draft.status = { phase: 'Terminating' };
    });
    let left = 0;
    for (const resource of RESOURCES) {
      if (!resource.namespaced) continue;
      for (const object of this.#store.list(resource, name)) {
        if (object.metadata.deletionTimestamp === undefined) requestDeletion(this.#store, resource, object, {});
      }
      left += this.#store.list(resource, name).length;
    }
    if (left === 0) this.#release(namespace);
  }

  #release(namespace: KubeObject): void {
    this.#store.modify(NAMESPACES, namespace, ({ metadata }) => {
      delete metadata.finalizers;
    });
  }
}
