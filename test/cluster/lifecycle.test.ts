import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../lib/cluster/api.ts';
import { createClusters } from '../../lib/cluster/clusters.ts';
import type { ClusterRef } from '../../lib/cluster/port.ts';
import { createRestTransport, type RestAccess } from '../../lib/cluster/rest-access.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { apiOfKubeconfig, makeNamespace } from '../contract/support/kubernetes.ts';
import { FLINK_VERSIONS, kubectl, runFlink } from './support/lab.ts';

/** Pods, services and cluster DNS have addresses in the lab's own network alone (test/cluster/lab/enter). */
const inside = process.env['NODE_IP'] !== undefined;
const STREAMING = 'local:///opt/flink/usrlib/TopSpeedWindowing.jar';

describe.each(FLINK_VERSIONS)('a cluster of Flink %s', (version) => {
  let api: KubernetesApi;
  let namespace: Awaited<ReturnType<typeof makeNamespace>>;
  const tag = version.replaceAll('.', '-');
  const refOf = (name: string): ClusterRef => ({
    namespace: namespace.name,
    clusterId: parseClusterId(`${name}-${tag}`),
  });

  beforeAll(async () => {
    api = await apiOfKubeconfig();
    namespace = await makeNamespace(api);
    await kubectl('apply', '--namespace', namespace.name, '-k', 'infra/kubernetes/rbac');
  });
  afterAll(() => namespace.remove());

  const running = async (ref: ClusterRef): Promise<boolean> => {
    const { pods } = await createClusters(api).observe(ref);
    return pods.some((pod) => pod.component === 'taskmanager' && pod.ready);
  };
  const remove = async (ref: ClusterRef, highAvailability: boolean): Promise<ReadonlySet<string>> => {
    const clusters = createClusters(api);
    const seen = new Set<string>();
    const left = async (): Promise<readonly string[]> => {
      await clusters.remove(ref, { highAvailability });
      const names = await clusters.remains(ref, { highAvailability });
      for (const name of names) seen.add(name);
      return names;
    };
    await expect.poll(left, { timeout: 60_000, interval: 100 }).toEqual([]);
    return seen;
  };

  it('with high availability goes without a new TaskManager, and its metadata as it is told', async () => {
    const ref = refOf('removed');
    const options = { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 'file:///tmp/ha' };
    await runFlink({ version, ...ref, jar: STREAMING, options });
    await expect.poll(() => running(ref), { timeout: 60_000, interval: 300 }).toBe(true);
    const before = (await createClusters(api).observe(ref)).pods.filter((pod) => pod.component === 'taskmanager');
    const start = Date.now();
    const seen = await remove(ref, false);
    console.log(`${version}: removed, with proof, in ${Date.now() - start} ms; metadata kept`);
    const taskManagers = [...seen].filter((name) => name.includes('-taskmanager-'));
    expect(taskManagers).toEqual(before.map(({ name }) => `Pod/${name}`));
    const kept = await createClusters(api).remains(ref);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.every((name) => name.startsWith('ConfigMap/'))).toBe(true);
    await remove(ref, true);
    // Nobody writes it anew.
    expect(await createClusters(api).remains(ref)).toEqual([]);
  });

  it.each([
    ['service-proxy', 'ClusterIP'],
    ...(inside
      ? ([
          ['service-dns', 'ClusterIP'],
          ['node-port', 'NodePort'],
        ] as const)
      : []),
  ] as readonly (readonly [RestAccess['kind'], string])[])('answers by %s', async (kind, type) => {
    const ref = refOf(kind);
    await runFlink({ version, ...ref, options: { 'kubernetes.rest-service.exposed.type': type } });
    const rest = createRestTransport(api, ref, { kind });
    const overview = (): Promise<unknown> =>
      rest({ method: 'GET', path: '/config', timeout: 2_000 }).then(
        ({ body }) => body,
        () => undefined,
      );
    await expect.poll(overview, { timeout: 60_000, interval: 300 }).toMatchObject({ 'flink-version': version });
    await remove(ref, true);
  });
});
