import type { Connection } from '../../../lib/kubernetes/access/connection.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../../lib/kubernetes/access/kubeconfig.ts';
import { apiPath, type KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { createKubernetesApi } from '../../../lib/kubernetes/api/https-api.ts';

import { must } from '../../contract/support/kubernetes.ts';

interface Access {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

/** As Kubernetes names it in a TokenRequest. */
export interface BoundObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What a service account of the cluster of KUBECONFIG needs to be let in. */
export async function accessOf(
  admin: KubernetesApi,
  namespace: string,
  account: string,
  boundObjectRef?: BoundObject,
): Promise<Access> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'serviceaccounts', account, 'token');
  const body = { spec: { ...(boundObjectRef && { boundObjectRef }) } };
  const issued = (await must(admin, { method: 'POST', path, body })) as { status: { token: string } };
  const connection = await kubeconfigConnection({ files: kubeconfigFiles(process.env) });
  const { ca = '' } = (await connection.credentials(false)).tls;
  return { server: connection.server, ca, token: issued.status.token };
}

/** The API as a service account, and as nobody else. */
export async function apiAs(admin: KubernetesApi, namespace: string, account: string): Promise<KubernetesApi> {
  const { server, ca, token } = await accessOf(admin, namespace, account);
  const credentials = { headers: { authorization: `Bearer ${token}` }, tls: { ca } };
  const bearer: Connection = { server, credentials: () => Promise.resolve(credentials) };
  return createKubernetesApi(bearer);
}
