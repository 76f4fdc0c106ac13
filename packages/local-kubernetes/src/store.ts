import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { alreadyExists, conflict, gone, notFound } from './errors.ts';
import { timestamp, type KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubeObject;
  /** The object before a modification. */
  readonly previous?: KubeObject;
}

type Listener = (change: Change) => void;

const HISTORY = 4096;

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/** All objects in memory, one growing version number for all, and the latest changes for watches. */
export class Store {
  readonly #objects = new Map<Resource, Map<string, KubeObject>>();
  readonly #listeners = new Set<Listener>();
  readonly #now: () => Date;
  #history: Change[] = [];
  // Small numbers, which no client of this server has ever seen, are versions long gone.
  #version = 1000;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get version(): number {
    return this.#version;
  }

  now(): string {
    return timestamp(this.#now());
  }

  find(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#objects.get(resource)?.get(keyOf(namespace, name));
  }

  /** @throws ApiError 404 */
  get(resource: Resource, namespace: string | undefined, name: string): KubeObject {
    const object = this.find(resource, namespace, name);
    if (object === undefined) throw notFound(resource, name);
    return object;
  }

  list(resource: Resource, namespace?: string): KubeObject[] {
    const all = [...(this.#objects.get(resource)?.values() ?? [])];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  *all(): Iterable<readonly [Resource, KubeObject]> {
    for (const [resource, objects] of this.#objects) for (const object of objects.values()) yield [resource, object];
  }

  /** @throws ApiError 409 AlreadyExists */
  create(resource: Resource, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    if (this.find(resource, namespace, name) !== undefined) throw alreadyExists(resource, name);
    const version = ++this.#version;
    const metadata = {
      ...object.metadata,
      uid: randomUUID(),
      resourceVersion: String(version),
      creationTimestamp: this.now(),
    };
    return this.#put({ version, type: 'ADDED', resource, object: { ...object, metadata } });
  }

  /** Writes a new state of an object; the same state again changes nothing. @throws ApiError 404, 409 Conflict */
  update(resource: Resource, object: KubeObject): KubeObject {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const previous = this.get(resource, namespace, name);
    if (uid !== '' && uid !== previous.metadata.uid) {
      throw conflict(resource, name, `the UID in the request is not that of the object, ${previous.metadata.uid}`);
    }
    if (resourceVersion !== '' && resourceVersion !== previous.metadata.resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version and try again';
      throw conflict(resource, name, why);
    }
    const { uid: own, creationTimestamp, resourceVersion: last } = previous.metadata;
    const metadata = { ...object.metadata, uid: own, creationTimestamp, resourceVersion: last };
    if (isDeepStrictEqual({ ...object, metadata }, previous)) return previous;
    const version = ++this.#version;
    const next = { ...object, metadata: { ...metadata, resourceVersion: String(version) } };
    if (next.metadata.deletionTimestamp !== undefined && isReleased(next)) return this.#drop(resource, next, version);
    return this.#put({ version, type: 'MODIFIED', resource, object: next, previous });
  }

  /** Changes a copy of the object as it is now. Undefined when it is gone. */
  modify(resource: Resource, object: KubeObject, change: (draft: KubeObject) => void): KubeObject | undefined {
    const { namespace, name, uid } = object.metadata;
    const current = this.find(resource, namespace, name);
    if (current?.metadata.uid !== uid) return undefined;
    const draft = structuredClone(current);
    change(draft);
    return this.update(resource, draft);
  }

  /** Takes the object out, whatever holds it. */
  remove(resource: Resource, object: KubeObject): void {
    const { namespace, name, uid } = object.metadata;
    const current = this.find(resource, namespace, name);
    if (current?.metadata.uid === uid) this.#drop(resource, current, ++this.#version);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes after a version. @throws ApiError 410 when they are no longer known */
  since(version: number): readonly Change[] {
    const oldest = this.#history[0]?.version ?? this.#version;
    if (version > this.#version || version < oldest - 1) {
      throw gone(`too old resource version: ${String(version)} (${String(oldest)})`);
    }
    return this.#history.filter((change) => change.version > version);
  }

  #drop(resource: Resource, object: KubeObject, version: number): KubeObject {
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    this.#objects.get(resource)?.delete(keyOf(metadata.namespace, metadata.name));
    return this.#announce({ version, type: 'DELETED', resource, object: { ...object, metadata } });
  }

  #put(change: Change): KubeObject {
    const objects = this.#objects.get(change.resource) ?? new Map<string, KubeObject>();
    this.#objects.set(change.resource, objects);
    objects.set(keyOf(change.object.metadata.namespace, change.object.metadata.name), change.object);
    return this.#announce(change);
  }

  #announce(change: Change): KubeObject {
    this.#history.push(change);
    if (this.#history.length > 2 * HISTORY) this.#history = this.#history.slice(-HISTORY);
    for (const listener of [...this.#listeners]) listener(change);
    return change.object;
  }
}

/** Nothing holds a deleted object: no finalizer, no grace period to wait for. */
function isReleased(object: KubeObject): boolean {
  return (object.metadata.finalizers ?? []).length === 0 && (object.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}
