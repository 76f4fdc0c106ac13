import { defined } from '../../../../lib/core/defined.ts';
import type { KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { statusError, succeeded } from '../../../../lib/kubernetes/api/status-error.ts';
import type { TargetConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { failed, ok, unknown, type Seen } from './check.ts';

export interface Permission {
  readonly group: '' | 'apps' | 'authorization.k8s.io';
  /** With its subresource: `pods/log`. */
  readonly resource: string;
  readonly verbs: readonly string[];
}

const ROLE = 'kubectl apply --namespace NAMESPACE -k infra/kubernetes/rbac';

/** What a target's runs need of the dispatcher's Role: infra/kubernetes/rbac/dispatcher.yaml, less what this target never does. */
export function permissionsFor({
  rest,
  jarDelivery,
}: Pick<TargetConfig, 'rest' | 'jarDelivery'>): readonly Permission[] {
  const proxied = rest.kind === 'service-proxy';
  const { kind } = jarDelivery;
  return [
    { group: 'apps', resource: 'deployments', verbs: ['create', 'get', 'list', 'delete'] },
    { group: '', resource: 'services', verbs: ['create', 'get', 'list', 'delete'] },
    {
      group: '',
      resource: 'configmaps',
      verbs: ['create', 'get', 'list', 'delete', ...(kind === 'fetch' ? ['patch'] : [])],
    },
    ...(kind === 'mount' ? [{ group: '', resource: 'secrets', verbs: ['create', 'patch'] } as const] : []),
    { group: '', resource: 'pods', verbs: ['list', 'delete'] },
    { group: 'apps', resource: 'replicasets', verbs: ['list'] },
    { group: '', resource: 'events', verbs: ['list'] },
    { group: '', resource: 'pods/log', verbs: ['get'] },
    { group: '', resource: 'resourcequotas', verbs: ['list'] },
    { group: 'authorization.k8s.io', resource: 'localsubjectaccessreviews', verbs: ['create'] },
    ...(proxied
      ? [{ group: '', resource: 'services/proxy', verbs: ['get', 'create', 'update', 'patch', 'delete'] } as const]
      : []),
  ];
}

/** What Flink's own service account does: TaskManagers are pods that the JobManager makes. */
const OF_FLINK: readonly Permission[] = [
  { group: '', resource: 'pods', verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { group: 'apps', resource: 'deployments', verbs: ['get'] },
];

/** Asks the API server itself, verb by verb: what it says is what counts, wherever the right comes from. */
export async function checkOwn(api: KubernetesApi, namespace: string, config: TargetConfig): Promise<Seen> {
  const { refused, asked } = await review(api, namespace, permissionsFor(config));
  if (refused.length === 0) return ok(`all of ${asked} permissions`);
  return failed(
    `not allowed: ${refused.join(', ')}`,
    `${ROLE.replace('NAMESPACE', namespace)}, and bind it to who asks`,
  );
}

/** Asking about somebody else is a right of its own, which the dispatcher does not have. */
export async function checkFlink(api: KubernetesApi, namespace: string, account: string): Promise<Seen> {
  const user = `system:serviceaccount:${namespace}:${account}`;
  try {
    const { refused } = await review(api, namespace, OF_FLINK, user);
    if (refused.length === 0) return ok(`${account} may make TaskManagers`);
    return failed(`${account} is not allowed: ${refused.join(', ')}`, ROLE.replace('NAMESPACE', namespace));
  } catch {
    return unknown(`what ${account} may do is not shown to this account`, 'ask as an administrator');
  }
}

async function review(
  api: KubernetesApi,
  namespace: string,
  permissions: readonly Permission[],
  user?: string,
): Promise<{ readonly refused: readonly string[]; readonly asked: number }> {
  const each = permissions.flatMap(({ group, resource, verbs }) => verbs.map((verb) => ({ group, resource, verb })));
  const answers = await Promise.all(
    each.map(async (one) => ((await isAllowed(api, namespace, one, user)) ? [] : [`${one.verb} ${one.resource}`])),
  );
  return { refused: answers.flat(), asked: each.length };
}

interface Asked {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

/** SelfSubjectAccessReview, or SubjectAccessReview for another user. @throws DispatchError */
async function isAllowed(api: KubernetesApi, namespace: string, asked: Asked, user?: string): Promise<boolean> {
  const [resource, subresource] = asked.resource.split('/');
  const attributes = { namespace, verb: asked.verb, group: asked.group, resource, ...(subresource && { subresource }) };
  const kind = user === undefined ? 'selfsubjectaccessreviews' : 'subjectaccessreviews';
  const response = await api.request({
    method: 'POST',
    path: `/apis/authorization.k8s.io/v1/${kind}`,
    body: { spec: { resourceAttributes: attributes, ...defined({ user }) } },
    repeatable: true,
  });
  if (!succeeded(response)) throw statusError(response, { verb: 'create', resource: kind, namespace });
  return (response.body as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true;
}
