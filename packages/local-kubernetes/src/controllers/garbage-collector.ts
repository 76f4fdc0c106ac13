import { FOREGROUND, ORPHAN, requestDeletion } from '../deletion.ts';
import type { KubeObject, OwnerReference } from '../objects.ts';
import { RESOURCES, resourceOfKind, type Resource } from '../resources.ts';
import type { Change, Store } from '../store.ts';
import { WorkQueue } from '../work-queue.ts';

type Found = readonly [Resource, KubeObject];

/** Collects what has no owner any more, and carries out foreground and orphaning deletions. */
export class GarbageCollector {
  readonly #store: Store;
  readonly #queue: WorkQueue;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#queue = new WorkQueue((uid) => {
      this.#reconcile(uid);
    }, onError);
  }

  onChange({ type, object }: Change): void {
    if (type !== 'DELETED') this.#queue.add(object.metadata.uid);
    else for (const [, dependent] of this.#dependents(object.metadata.uid)) this.#queue.add(dependent.metadata.uid);
    // An owner that is deleted in the foreground waits for its dependents.
    if (type === 'DELETED') for (const owner of object.metadata.ownerReferences ?? []) this.#queue.add(owner.uid);
  }

  stop(): void {
    this.#queue.stop();
  }

  #reconcile(uid: string): void {
    const found = this.#find(uid);
    if (found === undefined) return;
    const [resource, object] = found;
    if (object.metadata.deletionTimestamp !== undefined) this.#finish(resource, object);
    else if ((object.metadata.ownerReferences ?? []).length > 0) this.#checkOwners(resource, object);
  }

  #finish(resource: Resource, object: KubeObject): void {
    const finalizers = object.metadata.finalizers ?? [];
    const dependents = this.#dependents(object.metadata.uid);
    if (finalizers.includes(ORPHAN)) {
      for (const [of, dependent] of dependents)
        this.#dropOwners(of, dependent, (owner) => owner.uid === object.metadata.uid);
      this.#dropFinalizer(resource, object, ORPHAN);
    } else if (finalizers.includes(FOREGROUND)) {
      for (const [of, dependent] of dependents) this.#collect(of, dependent, true);
      const blocking = this.#dependents(object.metadata.uid).filter(([, { metadata }]) =>
        metadata.ownerReferences?.some(
          (owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true,
        ),
      );
      if (blocking.length === 0) this.#dropFinalizer(resource, object, FOREGROUND);
    }
  }

  #checkOwners(resource: Resource, object: KubeObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    const present = owners.map((owner) => [owner, this.#owner(owner, object)] as const);
    const absent = present.filter(([, owner]) => owner === undefined).map(([reference]) => reference);
    const waiting = present.filter(([, owner]) => owner?.metadata.finalizers?.includes(FOREGROUND));
    if (absent.length + waiting.length === owners.length) this.#collect(resource, object, waiting.length > 0);
    else if (absent.length > 0) this.#dropOwners(resource, object, (owner) => absent.includes(owner));
  }

  #collect(resource: Resource, object: KubeObject, foreground: boolean): void {
    if (object.metadata.deletionTimestamp !== undefined) return;
    const blocked = foreground && this.#dependents(object.metadata.uid).length > 0;
    requestDeletion(this.#store, resource, object, { propagationPolicy: blocked ? 'Foreground' : 'Background' });
  }

  #owner(reference: OwnerReference, of: KubeObject): KubeObject | undefined {
    const resource = resourceOfKind(reference.apiVersion, reference.kind);
    if (resource === undefined) return of; // a kind that is not served here is nobody's to judge
    const owner = this.#store.find(resource, resource.namespaced ? of.metadata.namespace : undefined, reference.name);
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  }

  #dropOwners(resource: Resource, object: KubeObject, which: (owner: OwnerReference) => boolean): void {
    this.#store.modify(resource, object, ({ metadata }) => {
      const uids = (object.metadata.ownerReferences ?? []).filter(which).map((owner) => owner.uid);
      metadata.ownerReferences = (metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid));
      if (metadata.ownerReferences.length === 0) delete metadata.ownerReferences;
    });
  }

  #dropFinalizer(resource: Resource, object: KubeObject, name: string): void {
    this.#store.modify(resource, object, ({ metadata }) => {
      metadata.finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== name);
      if (metadata.finalizers.length === 0) delete metadata.finalizers;
    });
  }

  #dependents(uid: string): Found[] {
    return this.#search((object) => object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true);
  }

  #find(uid: string): Found | undefined {
    return this.#search((object) => object.metadata.uid === uid)[0];
  }

  #search(matches: (object: KubeObject) => boolean): Found[] {
    return RESOURCES.flatMap((resource) =>
      this.#store
        .list(resource)
        .filter(matches)
        .map((object) => [resource, object] as const),
    );
  }
}
