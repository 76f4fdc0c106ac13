import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { apiPath, type KubernetesApi } from '../../../lib/cluster/api.ts';
import { createKubernetesApi } from '../../../lib/cluster/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../../lib/cluster/kubeconfig.ts';
import { makeNamespace, must } from '../../contract/support/kubernetes.ts';
import { kubectl } from './lab.ts';

/** A namespace with the Roles of infra/kubernetes/rbac, and a dispatcher's access to it. */
export interface Tenant {
  readonly namespace: string;
  /** The API as the service account `flink-dispatch` of the namespace, and as nobody else. */
  readonly api: KubernetesApi;
  /** A kubeconfig file for the same account, with a token of one hour. */
  readonly kubeconfig: string;
  /** Removes the namespace, with whatever is in it, and the file. */
  remove(): Promise<void>;
}

/** `pods`: a quota of the namespace. */
export async function openTenant(admin: KubernetesApi, { pods }: { readonly pods?: number } = {}): Promise<Tenant> {
  const namespace = await makeNamespace(admin);
  const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-tenant-'));
  await kubectl('apply', '--namespace', namespace.name, '-k', 'infra/kubernetes/rbac');
  if (pods !== undefined) await limitPods(admin, namespace.name, pods);
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, await kubeconfigOf(admin, namespace.name), { mode: 0o600 });
  return {
    namespace: namespace.name,
    api: createKubernetesApi(await kubeconfigConnection({ files: [kubeconfig] })),
    kubeconfig,
    async remove() {
      rmSync(folder, { recursive: true, force: true });
      await namespace.remove();
    },
  };
}

const QUOTA = 'pods';

async function limitPods(admin: KubernetesApi, namespace: string, pods: number): Promise<void> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'resourcequotas');
  const body = { metadata: { name: QUOTA }, spec: { hard: { pods: String(pods) } } };
  await must(admin, { method: 'POST', path, body });
}

export async function liftQuota(admin: KubernetesApi, { namespace }: Tenant): Promise<void> {
  await must(admin, { method: 'DELETE', path: apiPath('api', 'v1', 'namespaces', namespace, 'resourcequotas', QUOTA) });
}

async function kubeconfigOf(admin: KubernetesApi, namespace: string): Promise<string> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'serviceaccounts', 'flink-dispatch', 'token');
  const issued = (await must(admin, { method: 'POST', path, body: { spec: {} } })) as { status: { token: string } };
  const connection = await kubeconfigConnection({ files: kubeconfigFiles(process.env) });
  const { ca = '' } = (await connection.credentials(false)).tls;
  const cluster = { server: connection.server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'tenant', cluster }],
    users: [{ name: 'tenant', user: { token: issued.status.token } }],
    contexts: [{ name: 'tenant', context: { cluster: 'tenant', user: 'tenant', namespace } }],
    'current-context': 'tenant',
  });
}
