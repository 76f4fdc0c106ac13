import { defined } from '../../core/defined.ts';
import { isRecord } from '../../core/json.ts';
import { apiPath } from '../api/api.ts';
import type { ObjectClient } from '../api/client.ts';
import { succeeded } from '../api/status-error.ts';
import type { ServiceAccountRight } from './port.ts';

/** Asks the API server for a LocalSubjectAccessReview, which a Role can permit. */
export async function hasRight(
  client: Pick<ObjectClient, 'request'>,
  { namespace, account, verb, group, resource: path }: ServiceAccountRight,
): Promise<boolean | undefined> {
  const [resource = path, subresource] = path.split('/');
  const response = await client.request({
    method: 'POST',
    path: apiPath('apis', 'authorization.k8s.io', 'v1', 'namespaces', namespace, 'localsubjectaccessreviews'),
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'LocalSubjectAccessReview',
      metadata: { namespace },
      spec: {
        user: `system:serviceaccount:${namespace}:${account}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        resourceAttributes: { namespace, verb, group, resource, ...defined({ subresource }) },
      },
    },
    repeatable: true,
  });
  if (!succeeded(response) || !isRecord(response.body)) return undefined;
  const { status } = response.body;
  return isRecord(status) && typeof status['allowed'] === 'boolean' ? status['allowed'] : undefined;
}
