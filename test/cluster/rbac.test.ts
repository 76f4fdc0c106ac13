import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { apiOfKubeconfig, kubernetesHarness, makeNamespace } from '../contract/support/kubernetes.ts';
import { clustersContract } from '../contract/support/clusters-contract.ts';
import { FLINK_VERSIONS, kubectl, runFlink } from './support/lab.ts';
import { apiAs } from './support/service-account.ts';

clustersContract('with the Role of infra/kubernetes alone', async () => {
  const admin = await apiOfKubeconfig();
  const harness = await kubernetesHarness(admin, 'localhost/pause:1');
  await kubectl('apply', '--namespace', harness.namespace, '-k', 'infra/kubernetes/rbac');
  return { ...harness, clusters: createClusters(await apiAs(admin, harness.namespace, 'flink-dispatch')) };
});

describe('the Role of the dispatcher', () => {
  let admin: KubernetesApi;
  let dispatcher: KubernetesApi;
  let namespace: Awaited<ReturnType<typeof makeNamespace>>;

  beforeAll(async () => {
    admin = await apiOfKubeconfig();
    namespace = await makeNamespace(admin);
    await kubectl('apply', '--namespace', namespace.name, '-k', 'infra/kubernetes/rbac');
    dispatcher = await apiAs(admin, namespace.name, 'flink-dispatch');
  });
  afterAll(() => namespace.remove());

  it.each([
    ['read Secrets', 'GET', (own: string) => `/api/v1/namespaces/${own}/secrets`],
    ['read a Secret of its own', 'GET', (own: string) => `/api/v1/namespaces/${own}/secrets/flink-jar-x`],
    ['remove Secrets', 'DELETE', (own: string) => `/api/v1/namespaces/${own}/secrets/x`],
    ['look into another namespace', 'GET', () => '/apis/apps/v1/namespaces/default/deployments'],
    ['look into pods of another namespace', 'GET', () => '/api/v1/namespaces/kube-system/pods'],
    ['run pods of its own', 'POST', (own: string) => `/api/v1/namespaces/${own}/pods`],
    ['enter pods', 'POST', (own: string) => `/api/v1/namespaces/${own}/pods/x/exec`],
    ['change what is there', 'PATCH', (own: string) => `/apis/apps/v1/namespaces/${own}/deployments/x`],
    ['give itself more', 'POST', (own: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${own}/rolebindings`],
    ['issue tokens', 'POST', (own: string) => `/api/v1/namespaces/${own}/serviceaccounts/flink/token`],
    ['see nodes', 'GET', () => '/api/v1/nodes'],
    ['make namespaces', 'POST', () => '/api/v1/namespaces'],
  ] as const)('does not let it %s', async (_what, method, path) => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: { metadata: { name: 'x' } }, contentType };
    const { status } = await dispatcher.request({ method, path: path(namespace.name), ...body });
    expect(status).toBe(403);
  });

  it('lets it ask what a service account of the namespace may do', async () => {
    const clusters = createClusters(dispatcher);
    const pods = { namespace: namespace.name, verb: 'create', group: '', resource: 'pods' };
    expect(await clusters.hasRight({ ...pods, account: 'flink' })).toBe(true);
    expect(await clusters.hasRight({ ...pods, account: 'default' })).toBe(false);
    expect(await clusters.hasRight({ ...pods, account: 'flink', resource: 'pods/exec' })).toBe(false);
    expect(await clusters.hasRight({ ...pods, account: 'default', namespace: 'kube-system' })).toBeUndefined();
  });

  it.each(FLINK_VERSIONS)('lets it follow a job of Flink %s, whose account has its own Role alone', async (version) => {
    const clusterId = parseClusterId(`rbac-${version.replaceAll('.', '-')}`);
    const ref = { namespace: namespace.name, clusterId };
    const clusters = createClusters(dispatcher);
    await runFlink({ version, ...ref });
    const rest = createRestTransport(dispatcher, ref, { kind: 'service-proxy' });
    const finished = async (): Promise<boolean> => {
      const answer = await rest({ method: 'GET', path: '/jobs/overview' }).catch(() => undefined);
      const { jobs = [] } = (answer?.body ?? {}) as { jobs?: readonly { state: string }[] };
      return jobs.some(({ state }) => state === 'FINISHED');
    };
    await expect.poll(finished, { timeout: 90_000, interval: 500 }).toBe(true);
    const { pods } = await clusters.observe(ref);
    const jobManager = pods.find(({ component }) => component === 'jobmanager');
    const options = { container: 'flink-main-container', bytes: 20_000, previous: false };
    const { text } = await clusters.tail(ref, jobManager?.name ?? '', options);
    expect(text).toContain('FINISHED');
    expect(text).not.toContain('forbidden');
    const gone = async (): Promise<readonly string[]> => {
      await clusters.remove(ref, { highAvailability: true });
      return clusters.remains(ref);
    };
    await expect.poll(gone, { timeout: 60_000, interval: 300 }).toEqual([]);
  });
});
