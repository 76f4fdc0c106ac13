import { conflict } from './errors.ts';
import { timestamp, type KubeObject, type Pod } from './objects.ts';
import { PODS, type Resource } from './resources.ts';
import type { Store } from './store.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteOptions {
  readonly propagationPolicy?: Propagation;
  readonly orphanDependents?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

function checkPreconditions(resource: Resource, object: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { name, uid: actual, resourceVersion: version } = object.metadata;
  if (uid !== undefined && uid !== actual) {
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== version) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${version}`;
    throw conflict(resource, name, why);
  }
}

function graceOf(resource: Resource, object: KubeObject, options: DeleteOptions): number {
  if (resource !== PODS) return 0;
  const { spec, status } = object as Pod;
  const nothingRuns = spec.nodeName === undefined || status.phase === 'Succeeded' || status.phase === 'Failed';
  if (nothingRuns) return 0;
  return Math.max(0, options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30);
}

function finalizersOf(object: KubeObject, options: DeleteOptions): string[] {
  const others = (object.metadata.finalizers ?? []).filter((name) => name !== FOREGROUND && name !== ORPHAN);
  const policy = options.propagationPolicy ?? (options.orphanDependents === true ? 'Orphan' : undefined);
  if (policy === 'Foreground') return [...others, FOREGROUND];
  if (policy === 'Orphan') return [...others, ORPHAN];
  return policy === undefined ? (object.metadata.finalizers ?? []) : others;
}

/**
 * Asks for an object's end: at once, or when its finalizers are gone, or (pods) when its containers have stopped.
 * @throws ApiError 409 when a precondition does not hold
 */
export function requestDeletion(
  store: Store,
  resource: Resource,
  object: KubeObject,
  options: DeleteOptions,
): KubeObject {
  checkPreconditions(resource, object, options);
  const grace = graceOf(resource, object, options);
  const finalizers = finalizersOf(object, options);
  if (grace === 0 && finalizers.length === 0) {
    store.remove(resource, object);
    return object;
  }
  const next = store.modify(resource, object, ({ metadata }) => {
    const shorter = Math.min(grace, metadata.deletionGracePeriodSeconds ?? grace);
    metadata.deletionTimestamp ??= timestamp(new Date(Date.parse(store.now()) + shorter * 1000));
    metadata.deletionGracePeriodSeconds = shorter;
    if (finalizers.length > 0) metadata.finalizers = finalizers;
    else delete metadata.finalizers;
  });
  return next ?? object;
}
