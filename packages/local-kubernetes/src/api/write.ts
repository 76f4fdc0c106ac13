import { toObject, type Admission } from '../admission.ts';
import { requestDeletion, type DeleteOptions, type Propagation } from '../deletion.ts';
import { ApiError, badRequest, invalid, notFound } from '../errors.ts';
import { isRecord, type Deployment, type KubeObject } from '../objects.ts';
import { applyPatchBody } from '../patch.ts';
import { PODS } from '../resources.ts';
import type { Store } from '../store.ts';
import { selectionOf } from './read.ts';
import type { Target } from './request.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Backend {
  readonly store: Store;
  readonly admission: Admission;
}

function named(target: Target): string {
  if (target.name === undefined) throw new ApiError(405, 'MethodNotAllowed', 'the request names no object');
  return target.name;
}

export function create({ store, admission }: Backend, target: Target, body: unknown, dryRun: boolean): Answer {
  if (target.resource === PODS && target.subresource === 'eviction') {
    const pod = store.get(PODS, target.namespace, named(target));
    requestDeletion(store, PODS, pod, {});
    return { status: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
  }
  if (target.resource.namespaced && target.namespace === undefined)
    throw badRequest('the namespace is missing in the path');
  const object = toObject(target.resource, target.apiVersion, body, target.namespace);
  return { status: 201, body: admission.create(target.resource, object, dryRun) };
}

function asScale(object: KubeObject): object {
  const { spec, status, metadata } = object as Deployment;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0 },
  };
}

export function get({ store }: Backend, target: Target): unknown {
  const object = store.get(target.resource, target.namespace, named(target));
  return target.subresource === 'scale' ? asScale(object) : object;
}

/** Puts a new state where the subresource says: the whole, the status, or the replicas. */
function write({ store, admission }: Backend, target: Target, current: KubeObject, next: unknown): unknown {
  if (target.subresource === 'scale') {
    const replicas = isRecord(next) && isRecord(next['spec']) ? Number(next['spec']['replicas'] ?? 0) : 0;
    const spec = { ...(current.spec as object), replicas };
    return asScale(admission.update(target.resource, { ...current, spec }));
  }
  const object = toObject(target.resource, target.apiVersion, next, target.namespace);
  if (object.metadata.name !== named(target)) {
    const message = `the name of the object (${object.metadata.name}) does not match the name on the URL (${named(target)})`;
    throw badRequest(message);
  }
  if (target.subresource === 'status') {
    const { resourceVersion } = object.metadata;
    return store.update(target.resource, {
      ...current,
      metadata: { ...current.metadata, resourceVersion },
      status: object.status,
    });
  }
  return admission.update(target.resource, object);
}

export function replace(backend: Backend, target: Target, body: unknown): Answer {
  const current = backend.store.get(target.resource, target.namespace, named(target));
  return { status: 200, body: write(backend, target, current, body) };
}

export function patch(backend: Backend, target: Target, body: unknown, contentType: string): Answer {
  const name = named(target);
  const current = backend.store.find(target.resource, target.namespace, name);
  if (current === undefined) {
    if (contentType !== 'application/apply-patch+yaml') throw notFound(target.resource, name);
    return create(backend, { ...target, name: undefined }, body, false);
  }
  const shown = target.subresource === 'scale' ? asScale(current) : current;
  const patched = applyPatchBody(structuredClone(shown), body, contentType);
  if (!isRecord(patched))
    throw invalid(target.resource, name, [
      { field: '', reason: 'FieldValueInvalid', message: 'a patch must leave an object' },
    ]);
  return { status: 200, body: write(backend, target, current, patched) };
}

function optionsOf(body: unknown, query: URLSearchParams): DeleteOptions {
  const given = isRecord(body) ? (body as DeleteOptions) : {};
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  return {
    ...given,
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy as Propagation }),
  };
}

export function remove({ store }: Backend, target: Target, body: unknown, query: URLSearchParams): Answer {
  const { resource } = target;
  const object = store.get(resource, target.namespace, named(target));
  const deleted = requestDeletion(store, resource, object, optionsOf(body, query));
  const waits = store.find(resource, target.namespace, object.metadata.name)?.metadata.uid === object.metadata.uid;
  if (waits || resource === PODS) return { status: 200, body: deleted };
  const details = {
    name: object.metadata.name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: object.metadata.uid,
  };
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

export function removeAll({ store }: Backend, target: Target, body: unknown, query: URLSearchParams): Answer {
  const items = store.list(target.resource, target.namespace).filter(selectionOf(target, query));
  for (const object of items) requestDeletion(store, target.resource, object, optionsOf(body, query));
  const metadata = { resourceVersion: String(store.version) };
  return { status: 200, body: { kind: `${target.resource.kind}List`, apiVersion: target.apiVersion, metadata, items } };
}
