import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../functions/clock.ts';
import { createBundler } from '../../functions/bundler.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import type { BundleDeps } from '../../lib/delivery/bundle.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import { s3Pins } from '../../lib/job/jar/s3-pins.ts';
import type { StoredBlob } from '../../lib/registry/port.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { startRegistry, type RealRegistry } from '../registry/support/distribution.ts';
import { Run, type Spec } from './support/dispatcher.ts';
import { FLINK_VERSIONS, imageOf, isLab, kubectl, LAB, turnsOf } from './support/lab.ts';
import { startStorage, type Storage } from './support/s3.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

const run = promisify(execFile);
const ctr = (...args: readonly string[]): Promise<{ stdout: string }> =>
  run('ctr', ['-a', join(LAB, 'run', 'containerd.sock'), '-n', 'k8s.io', ...args]);

/** containerd pulls without TLS from its own loopback alone, which is the lab's. */
describe.runIf(isLab() && process.env['NODE_IP'] !== undefined)('jars in images of a real registry', () => {
  let admin: KubernetesApi;
  let tenant: Tenant;
  let storage: Storage;
  let registry: RealRegistry;
  const runs: Run[] = [];

  beforeAll(async () => {
    admin = await apiOfKubeconfig();
    [tenant, storage, registry] = await Promise.all([openTenant(admin), startStorage(), startRegistry()]);
    for (const image of [...FLINK_VERSIONS.map(imageOf), 'localhost/pause:1'])
      await ctr('images', 'push', '--plain-http', image.replace('localhost', registry.host), image);
  });
  afterAll(async () => {
    await Promise.all(runs.map((one) => one.stop()));
    await tenant.remove();
    const { stdout } = await ctr('images', 'ls', '-q');
    const pulled = stdout.split('\n').filter((name) => name.startsWith(registry.host));
    if (pulled.length > 0) await ctr('images', 'rm', ...pulled);
    await Promise.all([storage.stop(), registry.stop()]);
  });

  /** As functions/wiring.ts makes it, with a look at what becomes of each blob. */
  function bundler(blobs: StoredBlob['how'][]): BundleDeps {
    const access = { kind: 'kubeconfig', path: tenant.kubeconfig };
    const deployment = parseDispatchConfig(
      stringify({
        targets: { default: { namespace: tenant.namespace, access } },
        allow: { jarBuckets: ['**'] },
        registries: { [registry.host]: {} },
      }),
    );
    const { s3, ledgerBucket } = storage;
    const { pin } = s3Pins({ s3, bucket: ledgerBucket, clock: systemClock });
    const deps = createBundler({ deployment, s3, ledgerBucket, pin, clock: systemClock });
    return {
      ...deps,
      registry() {
        const real = deps.registry();
        return {
          ...real,
          async putBlob(to, blob) {
            const stored = await real.putBlob(to, blob);
            blobs.push(stored.how);
            return stored;
          },
        };
      },
    };
  }

  async function start(version: string, spec: Spec, blobs: StoredBlob['how'][], extra?: string): Promise<Run> {
    const { s3, ledgerBucket } = storage;
    const repository = `${registry.host}/jobs/flink-${version}`;
    const delivery = {
      kind: 'bundle',
      repository,
      files: extra === undefined ? [] : [{ from: extra, to: 'lib/extra.jar' }],
    } as const;
    const one = new Run({
      ...{ tenant, version },
      spec: { image: `${registry.host}/flink:${version}`, ...spec },
      jars: { s3, ledgerBucket, delivery, bundle: bundler(blobs) },
    });
    runs.push(one);
    return one.start();
  }

  const imagesOf = async ({ ref }: Run): Promise<string[]> => {
    const path = 'jsonpath={.items[*].spec.containers[*].image}';
    const images = await kubectl('get', 'pods', '-n', ref.namespace, '-l', `app=${ref.clusterId}`, '-o', path);
    return [...new Set(images.split(' ').filter((image) => image !== ''))];
  };

  describe.each(FLINK_VERSIONS)('Flink %s', (version) => {
    const isTurn = turnsOf(version);

    it.runIf(isTurn())('runs the jar, and for the same jar again the same image, with nothing sent', async () => {
      const jarURI = await storage.upload(version, 'WordCount');
      const first: StoredBlob['how'][] = [];
      const one = await start(version, { job: { jarURI } }, first);
      const { event } = await one.completed(240);
      expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
      expect(first.filter((how) => how === 'uploaded')).toHaveLength(2);
      expect(first.filter((how) => how === 'mounted').length).toBeGreaterThan(1);

      const second: StoredBlob['how'][] = [];
      const before = registry.counts().requests;
      const again = await start(version, { job: { jarURI } }, second);
      await again.until(({ state }) => state !== 'accepted' && state !== 'waiting' && state !== 'launching', 30);
      expect(second).toEqual([]);
      // The tag of the base, and the image itself.
      expect(registry.counts().requests - before).toBeLessThanOrEqual(2 + 2);
      await expect.poll(() => imagesOf(again), { timeout: 30_000 }).toHaveLength(1);
      expect((await imagesOf(again))[0]).toMatch(/^127\.0\.0\.1:\d+\/jobs\/flink-[\d.]+@sha256:[0-9a-f]{64}$/);
      await again.cancel();
      await Promise.all([one.closed(), again.closed()]);
    });

    it.runIf(isTurn())('has the dependencies of the job and of the target in their places', async () => {
      const [jarURI, dependency, extra] = await Promise.all([
        storage.upload(version, 'TopSpeedWindowing'),
        storage.upload(version, 'WordCount'),
        storage.upload(version, 'WordCount'),
      ]);
      const spec = {
        job: {
          jarURI,
          entryClass: 'org.apache.flink.streaming.examples.windowing.TopSpeedWindowing',
        },
        flinkConfiguration: { 'user.artifacts.artifact-list': dependency, 'execution.runtime-mode': 'STREAMING' },
      };
      const one = await start(version, spec, [], extra);
      await one.until(({ state }) => state === 'running', 240);
      const { namespace, clusterId } = one.ref;
      const name = dependency.split('/').at(-1) ?? '';
      const inPod = ['exec', '-n', namespace, `deployment/${clusterId}`, '--', 'ls', '-ln'];
      const listed = await kubectl(...inPod, '/opt/flink/usrlib', '/opt/flink/lib/extra.jar');
      expect(listed).toMatch(new RegExp(`^-rw-r--r-- +1 +0 +0 .* ${name}$`, 'm'));
      expect(listed).toContain('/opt/flink/lib/extra.jar');
      const log = await kubectl('logs', '-n', namespace, `deployment/${clusterId}`);
      expect(log).toContain('/opt/flink/lib/extra.jar');
      await one.cancel();
      await one.closed();
    });
  });

  it('refuses an image without Flink before anything of the cluster is made', async () => {
    const [version = ''] = FLINK_VERSIONS;
    const jarURI = await storage.upload(version, 'WordCount');
    const blobs: StoredBlob['how'][] = [];
    const one = await start(version, { image: `${registry.host}/pause:1`, job: { jarURI } }, blobs);
    const { event } = await one.completed(30);
    expect(event.data).toMatchObject({ state: 'failed', reason: 'ImageUnsuitable' });
    expect(blobs).toEqual([]);
    expect(await kubectl('get', 'deployments', '-n', tenant.namespace, '-o', 'name')).not.toContain(one.ref.clusterId);
    await one.closed();
  });
});
