import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Secret } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { apiPath, type KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { ClusterRef, PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { signedUrls } from '../../lib/delivery/signed-urls.ts';
import { createJobManager } from '../../lib/flink/rest/job-manager.ts';
import { apiOfKubeconfig, must } from '../contract/support/kubernetes.ts';
import { Run, type RunOptions, type Spec } from './support/dispatcher.ts';
import { FLINK_VERSIONS, turnsOf } from './support/lab.ts';
import { startStorage, type Storage } from './support/s3.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

const HOUR = 60 * 60_000;
/** Seconds until a JVM has started and a job has ended, on a machine that has much else to do. */
const PATIENT = 480;
/** Of a signed URL that a test outlives; it is renewed after a third of it. */
const SHORT = 30_000;

let admin: KubernetesApi;
let tenant: Tenant;
let storage: Storage;
const runs: Run[] = [];

// Two tests at a time wait for one machine.
vi.setConfig({ testTimeout: 1_200_000 });

beforeAll(async () => {
  admin = await apiOfKubeconfig();
  [tenant, storage] = await Promise.all([openTenant(admin), startStorage()]);
});
afterAll(async () => {
  await Promise.all(runs.map((run) => run.stop()));
  await Promise.all([tenant.remove(), storage.stop()]);
  // The node of the lab is this machine.
  for (const version of FLINK_VERSIONS) rmSync(stateFolder(version), { recursive: true, force: true });
});

type Jars = Omit<NonNullable<RunOptions['jars']>, 's3' | 'ledgerBucket'>;

async function start(version: string, jars: Jars, spec: Spec): Promise<Run> {
  const { s3, ledgerBucket } = storage;
  const deadlines = { start: `${PATIENT}s` };
  const run = new Run({ tenant, version, spec: { ...spec, deadlines }, jars: { ...jars, s3, ledgerBucket } });
  runs.push(run);
  return run.start();
}

const WORDS = ['--input', '/opt/flink/conf', '--execution-mode', 'BATCH'];

describe.each(FLINK_VERSIONS)('Flink %s', (version) => {
  const isTurn = turnsOf(version);

  it.runIf(isTurn()).concurrent('fetches an uploaded jar by itself', async ({ expect }) => {
    const job = { jarURI: await storage.upload(version, 'WordCount') };
    const run = await start(version, { delivery: { kind: 'fetch', urlTtl: HOUR } }, { job });
    const { event } = await run.completed(PATIENT);
    expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    await run.closed();
  });

  it.runIf(isTurn()).concurrent(
    'finds a mounted jar again after its first URL has ended and its JobManager is replaced',
    async ({ expect }) => {
      const delivery = { kind: 'mount', urlTtl: SHORT } as const;
      const job = { jarURI: await storage.upload(version, 'TopSpeedWindowing') };
      const run = await start(version, { delivery }, { job, ...highlyAvailable(version) });
      await run.until(({ state }) => state === 'running', PATIENT);
      const first = await signedUrl(run.ref);
      const before = await jobManagerPod(run.ref);
      await expect.poll(async () => (await fetch(first)).status, { timeout: 2 * SHORT, interval: 1000 }).toBe(403);
      expect((await fetch(await signedUrl(run.ref))).status).toBe(200);
      await must(admin, {
        method: 'DELETE',
        path: apiPath('api', 'v1', 'namespaces', tenant.namespace, 'pods', before?.name ?? ''),
      });
      const again = async (): Promise<boolean> => {
        const pod = await jobManagerPod(run.ref);
        return pod !== undefined && pod.uid !== before?.uid && (await jobRuns(run));
      };
      await expect.poll(again, { timeout: PATIENT * 1000, interval: 1000 }).toBe(true);
      const containers = (await jobManagerPod(run.ref))?.containers;
      expect(containers?.find(({ name }) => name === 'flink-dispatch-jar')).toMatchObject({
        init: true,
        state: 'terminated',
        exitCode: 0,
      });
      await run.cancel();
      expect((await run.completed(PATIENT)).event.data).toMatchObject({ state: 'canceled' });
      await run.closed();
      expect(await secretStatus(run.ref)).toBe(404);
    },
  );
});

it('names the reason why a jar could not be mounted', async () => {
  const [version = ''] = FLINK_VERSIONS;
  const job = { jarURI: await storage.upload(version, 'WordCount'), args: WORDS };
  const sign = signedUrls(storage.s3);
  const ended = { sign: async (object: Parameters<typeof sign>[0]) => sign(object, 1000) };
  const run = await start(version, { delivery: { kind: 'mount', urlTtl: HOUR }, ...late(ended) }, { job });
  const { event } = await run.completed(PATIENT);
  expect(event.data).toMatchObject({ state: 'failed', reason: 'JarDownloadFailed' });
  expect(event.data.message).toMatch(/403.*expired/i);
  expect(JSON.stringify(run.published)).not.toContain('X-Amz-Signature');
  await run.closed();
});

/** Signs a second before it hands the URL out, so that it has ended before any pod reads it. */
function late({ sign }: Required<Pick<Jars, 'sign'>>): Required<Pick<Jars, 'sign'>> {
  return {
    sign: async (object, ttl) => {
      const url = await sign(object, ttl);
      await sleep(2000);
      return url;
    },
  };
}

const stateFolder = (version: string): string => `/tmp/flink-dispatch-ha-${tenant.namespace}-${version}`;

/** Its state is on the node, which the next JobManager finds. */
function highlyAvailable(version: string): Spec {
  const volumeMounts = [{ name: 'ha', mountPath: '/ha' }];
  return {
    flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 'file:///ha' },
    jobManager: {
      resource: { cpu: 0.1, memory: '900m' },
      podTemplate: {
        spec: {
          volumes: [{ name: 'ha', hostPath: { path: stateFolder(version), type: 'DirectoryOrCreate' } }],
          initContainers: [
            {
              ...{ name: 'open', image: `localhost/flink:${version}`, command: ['chmod', '777', '/ha'], volumeMounts },
              securityContext: { runAsUser: 0 },
            },
          ],
          containers: [{ name: 'flink-main-container', volumeMounts }],
        },
      },
    },
  };
}

async function jobManagerPod(ref: ClusterRef): Promise<PodFacts | undefined> {
  const { pods } = await createClusters(tenant.api).observe(ref);
  return pods.filter(({ component, deleting }) => component === 'jobmanager' && !deleting).at(-1);
}

async function jobRuns(run: Run): Promise<boolean> {
  const transport = createRestTransport(tenant.api, run.ref, { kind: 'service-proxy' });
  const { jobs } = await createJobManager(transport)
    .overview()
    .catch(() => ({ jobs: [] }));
  return jobs.some(({ id, state }) => id === run.record.attempts.at(-1)?.jobId && state === 'RUNNING');
}

const secretPath = ({ namespace, clusterId }: ClusterRef): string =>
  apiPath('api', 'v1', 'namespaces', namespace, 'secrets', `flink-jar-${clusterId}`);

async function signedUrl(ref: ClusterRef): Promise<string> {
  const { data } = (await must(admin, { method: 'GET', path: secretPath(ref) })) as V1Secret;
  return Buffer.from(data?.['url'] ?? '', 'base64').toString();
}

async function secretStatus(ref: ClusterRef): Promise<number> {
  return (await admin.request({ method: 'GET', path: secretPath(ref) })).status;
}
