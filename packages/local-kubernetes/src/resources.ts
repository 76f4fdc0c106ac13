/** One kind that the API serves. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
}

function resource(
  apiVersion: string,
  kind: string,
  plural: string,
  options: { shortNames?: string[]; subresources?: string[]; namespaced?: boolean } = {},
): Resource {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return {
    group: group ?? '',
    version: version ?? '',
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced: options.namespaced ?? true,
    shortNames: options.shortNames ?? [],
    subresources: options.subresources ?? [],
  };
}

export const NAMESPACES = resource('v1', 'Namespace', 'namespaces', {
  shortNames: ['ns'],
  subresources: ['status', 'finalize'],
  namespaced: false,
});
export const NODES = resource('v1', 'Node', 'nodes', {
  shortNames: ['no'],
  subresources: ['status'],
  namespaced: false,
});
export const PODS = resource('v1', 'Pod', 'pods', {
  shortNames: ['po'],
  subresources: ['status', 'log', 'proxy', 'eviction'],
});
export const SERVICES = resource('v1', 'Service', 'services', {
  shortNames: ['svc'],
  subresources: ['status', 'proxy'],
});
export const CONFIG_MAPS = resource('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] });
export const SECRETS = resource('v1', 'Secret', 'secrets');
export const SERVICE_ACCOUNTS = resource('v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] });
export const EVENTS = resource('v1', 'Event', 'events', { shortNames: ['ev'] });
export const RESOURCE_QUOTAS = resource('v1', 'ResourceQuota', 'resourcequotas', {
  shortNames: ['quota'],
  subresources: ['status'],
});
export const DEPLOYMENTS = resource('apps/v1', 'Deployment', 'deployments', {
  shortNames: ['deploy'],
  subresources: ['status', 'scale'],
});
export const REPLICA_SETS = resource('apps/v1', 'ReplicaSet', 'replicasets', {
  shortNames: ['rs'],
  subresources: ['status', 'scale'],
});

/** Kinds that are kept and served but that nothing acts on. */
const KEPT: readonly Resource[] = [
  resource('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', { shortNames: ['pvc'] }),
  resource('v1', 'LimitRange', 'limitranges', { shortNames: ['limits'] }),
  resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  resource('networking.k8s.io/v1', 'Ingress', 'ingresses', { shortNames: ['ing'] }),
  resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { shortNames: ['pdb'] }),
  resource('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  resource('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', { namespaced: false }),
  resource('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', { namespaced: false }),
];

export const RESOURCES: readonly Resource[] = [
  NAMESPACES,
  NODES,
  PODS,
  SERVICES,
  CONFIG_MAPS,
  SECRETS,
  SERVICE_ACCOUNTS,
  EVENTS,
  RESOURCE_QUOTAS,
  DEPLOYMENTS,
  REPLICA_SETS,
  ...KEPT,
];

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return RESOURCES.find(
    (resource) => resource.group === group && resource.version === version && resource.plural === plural,
  );
}

/** The resource that an ownerReference points at. */
export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return RESOURCES.find((resource) => apiVersionOf(resource) === apiVersion && resource.kind === kind);
}
