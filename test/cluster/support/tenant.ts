import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { apiPath, type KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { createKubernetesApi } from '../../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection } from '../../../lib/kubernetes/access/kubeconfig.ts';
import { makeNamespace, must } from '../../contract/support/kubernetes.ts';
import { kubectl } from './lab.ts';
import { accessOf, type BoundObject } from './service-account.ts';

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

export interface TenantQuota {
  /** As in a ResourceQuota's `spec.hard`. */
  readonly hard: Readonly<Record<string, string>>;
  /** Some pods only, which here are all of them: such a quota is met when it refuses, and not before. */
  readonly scopes?: readonly string[];
}

export async function openTenant(admin: KubernetesApi, quota?: TenantQuota): Promise<Tenant> {
  const namespace = await makeNamespace(admin);
  const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-tenant-'));
  await kubectl('apply', '--namespace', namespace.name, '-k', 'infra/kubernetes/rbac');
  if (quota !== undefined) await limit(admin, namespace.name, quota);
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

const QUOTA = 'quota';

async function limit(admin: KubernetesApi, namespace: string, { hard, scopes }: TenantQuota): Promise<void> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'resourcequotas');
  const body = { metadata: { name: QUOTA }, spec: { hard, ...(scopes && { scopes }) } };
  await must(admin, { method: 'POST', path, body });
}

export async function liftQuota(admin: KubernetesApi, { namespace }: Tenant): Promise<void> {
  await must(admin, { method: 'DELETE', path: apiPath('api', 'v1', 'namespaces', namespace, 'resourcequotas', QUOTA) });
}

/** A kubeconfig of the dispatcher's account; its token goes with the object that it is bound to. */
export async function kubeconfigOf(admin: KubernetesApi, namespace: string, boundTo?: BoundObject): Promise<string> {
  const { server, ca, token } = await accessOf(admin, namespace, 'flink-dispatch', boundTo);
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'tenant', cluster }],
    users: [{ name: 'tenant', user: { token } }],
    contexts: [{ name: 'tenant', context: { cluster: 'tenant', user: 'tenant', namespace } }],
    'current-context': 'tenant',
  });
}
