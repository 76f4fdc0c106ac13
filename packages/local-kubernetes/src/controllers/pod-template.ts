import { createHash, randomBytes } from 'node:crypto';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { KubeObject, OwnerReference } from '../objects.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

function letters(bytes: Buffer): string {
  return [...bytes].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '').join('');
}

/** Five letters for a generated name. */
export function randomSuffix(): string {
  return letters(randomBytes(5));
}

export function templateHash(template: V1PodTemplateSpec): string {
  return letters(createHash('sha256').update(JSON.stringify(template)).digest().subarray(0, 9));
}

export function controllerReference(owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Metadata that the store completes. */
export function newMetadata(namespace: string | undefined, name: string): KubeObject['metadata'] {
  const blank = { uid: '', resourceVersion: '', creationTimestamp: '' };
  return namespace === undefined ? { name, ...blank } : { name, namespace, ...blank };
}

export function isReady(pod: KubeObject): boolean {
  const { conditions } = (pod.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
