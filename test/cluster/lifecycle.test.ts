import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { createRestTransport, type RestAccess } from '../../lib/kubernetes/access/rest-access.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { Run } from './support/dispatcher.ts';
import { FLINK_VERSIONS, kubectl, runFlink, turnsOf } from './support/lab.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

/** Pods, services and cluster DNS have addresses in the lab's own network alone (test/cluster/lab/enter). */
const inside = process.env['NODE_IP'] !== undefined;
const PASSWORD = 'of-a-test';
const TLS = {
  'kubernetes.secrets': 'rest-keystore:/opt/keys',
  'security.ssl.rest.enabled': 'true',
  ...Object.fromEntries(
    ['keystore', 'truststore'].flatMap((store) => [
      [`security.ssl.rest.${store}`, '/opt/keys/keystore.p12'],
      [`security.ssl.rest.${store}-password`, PASSWORD],
    ]),
  ),
  'security.ssl.rest.key-password': PASSWORD,
};
const STREAMING = 'local:///opt/flink/usrlib/TopSpeedWindowing.jar';

async function makeKeystore(namespace: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-keys-'));
  const file = join(folder, 'keystore.p12');
  const subject = ['-alias', 'rest', '-dname', 'CN=jobmanager', '-keyalg', 'EC'];
  const store = ['-keystore', file, '-storetype', 'PKCS12', '-storepass', PASSWORD];
  try {
    await promisify(execFile)('keytool', ['-genkeypair', ...subject, ...store]);
    await kubectl('create', 'secret', 'generic', 'rest-keystore', '-n', namespace, `--from-file=${file}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(FLINK_VERSIONS)('a cluster of Flink %s', (version) => {
  const isTurn = turnsOf(version);
  let api: KubernetesApi;
  let tenant: Tenant;
  // Another one at each try: what the last one left does not stand in its way.
  const refOf = (name: string): ClusterRef => ({
    namespace: tenant.namespace,
    clusterId: parseClusterId(`${name}-${randomBytes(3).toString('hex')}`),
  });

  beforeAll(async () => {
    tenant = await openTenant(await apiOfKubeconfig());
    api = tenant.api;
  });
  afterAll(() => tenant.remove());

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
    await expect.poll(left, { timeout: 120_000, interval: 100 }).toEqual([]);
    return seen;
  };

  it('with high availability goes without a new TaskManager, and its metadata as it is told', async () => {
    const ref = refOf('removed');
    const options = { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 'file:///tmp/ha' };
    await runFlink({ version, ...ref, jar: STREAMING, options });
    await expect.poll(() => running(ref), { timeout: 240_000, interval: 300 }).toBe(true);
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

  it.each(
    (
      [
        ['service-proxy', 'ClusterIP'],
        ...(inside
          ? ([
              ['service-dns', 'ClusterIP'],
              ['node-port', 'NodePort'],
            ] as const)
          : []),
      ] as readonly (readonly [RestAccess['kind'], string])[]
    ).filter(isTurn),
  )('answers by %s', async (kind, type) => {
    const ref = refOf(kind);
    await runFlink({ version, ...ref, options: { 'kubernetes.rest-service.exposed.type': type } });
    await untilAnswer(ref, kind);
    await remove(ref, true);
  });

  it.runIf(isTurn())('answers by service-proxy with TLS, and its run is followed to its end', async () => {
    await makeKeystore(tenant.namespace);
    const spec = { job: { jarURI: 'local:///opt/flink/usrlib/WordCount.jar' }, flinkConfiguration: TLS };
    const run = await new Run({ tenant, version, spec }).start();
    try {
      const { event } = await run.completed(280);
      expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
      await run.closed();
    } finally {
      await run.stop();
    }
  });

  const untilAnswer = async (ref: ClusterRef, kind: RestAccess['kind']): Promise<void> => {
    const rest = createRestTransport(api, ref, { kind });
    const overview = (): Promise<unknown> =>
      rest({ method: 'GET', path: '/config', timeout: 2_000 }).then(
        ({ body }) => body,
        () => undefined,
      );
    await expect.poll(overview, { timeout: 120_000, interval: 300 }).toMatchObject({ 'flink-version': version });
  };
});
