import { refreshQuotas } from '../quota.ts';
import { RESOURCE_QUOTAS } from '../resources.ts';
import type { Change, Store } from '../store.ts';
import { WorkQueue } from '../work-queue.ts';

/** Keeps the used amounts of quotas up to date, where a namespace has any. */
export class Quotas {
  readonly #store: Store;
  readonly #queue: WorkQueue;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#queue = new WorkQueue((namespace) => {
      refreshQuotas(store, namespace);
    }, onError);
  }

  onChange({ object }: Change): void {
    const { namespace } = object.metadata;
    if (namespace !== undefined && this.#store.list(RESOURCE_QUOTAS, namespace).length > 0) this.#queue.add(namespace);
  }

  stop(): void {
    this.#queue.stop();
  }
}
