import type { KubernetesObject } from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import { apiPath } from './api.ts';
import type { ClusterRef } from '../cluster/port.ts';

/** Every kind of which Flink's client or its JobManager makes objects, and those that follow from them. */
const KINDS = {
  Deployment: { group: ['apis', 'apps', 'v1'], resource: 'deployments' },
  ReplicaSet: { group: ['apis', 'apps', 'v1'], resource: 'replicasets' },
  Job: { group: ['apis', 'batch', 'v1'], resource: 'jobs' },
  Pod: { group: ['api', 'v1'], resource: 'pods' },
  Service: { group: ['api', 'v1'], resource: 'services' },
  ConfigMap: { group: ['api', 'v1'], resource: 'configmaps' },
  Secret: { group: ['api', 'v1'], resource: 'secrets' },
  Event: { group: ['api', 'v1'], resource: 'events' },
  ResourceQuota: { group: ['api', 'v1'], resource: 'resourcequotas' },
} as const;

export type Kind = keyof typeof KINDS;

function isKind(text: string | undefined): text is Kind {
  return text !== undefined && text in KINDS;
}

export function collectionPath(kind: Kind, namespace: string): string {
  const { group, resource } = KINDS[kind];
  return apiPath(...group, 'namespaces', namespace, resource);
}

export function objectPath(kind: Kind, namespace: string, name: string): string {
  return `${collectionPath(kind, namespace)}${apiPath(name)}`;
}

export function resourceOf(kind: Kind): string {
  return KINDS[kind].resource;
}

/** @throws DispatchError `InvalidConfiguration` for a kind that no Flink cluster consists of. */
export function kindOf(object: KubernetesObject): Kind {
  if (isKind(object.kind)) return object.kind;
  throw new DispatchError('InvalidConfiguration', `a Flink cluster has no object of kind '${String(object.kind)}'`);
}

/** The labels that Flink puts on every object of a cluster, as a selector. */
export function selectorOf({ clusterId }: ClusterRef): string {
  return `app=${clusterId},type=flink-native-kubernetes`;
}
