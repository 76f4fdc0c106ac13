import type { Admission } from '../admission.ts';
import type { EventRecorder } from '../events.ts';
import { controllerOf } from '../objects.ts';
import type { Resource } from '../resources.ts';
import type { Change, Store } from '../store.ts';
import { WorkQueue } from '../work-queue.ts';

export interface ControllerDeps {
  readonly store: Store;
  readonly admission: Admission;
  readonly events: EventRecorder;
}

/** Looks at an object of one resource again whenever it, or an object that it controls, has changed. */
export abstract class Controller {
  protected readonly deps: ControllerDeps;
  protected readonly queue: WorkQueue;
  readonly #own: Resource;
  readonly #controlled: Resource;

  constructor(own: Resource, controlled: Resource, deps: ControllerDeps, onError: (error: unknown) => void) {
    this.deps = deps;
    this.#own = own;
    this.#controlled = controlled;
    this.queue = new WorkQueue((key) => {
      this.reconcile(key);
    }, onError);
  }

  onChange({ resource, object }: Change): void {
    const { namespace = '', name } = object.metadata;
    if (resource === this.#own) this.queue.add(`${namespace}/${name}`);
    const owner = resource === this.#controlled ? controllerOf(object) : undefined;
    if (owner?.kind === this.#own.kind) this.queue.add(`${namespace}/${owner.name}`);
  }

  stop(): void {
    this.queue.stop();
  }

  /** `key`: `<namespace>/<name>`. */
  protected abstract reconcile(key: string): void;
}
