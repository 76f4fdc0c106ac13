import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { ClusterRef, PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { Run, type Spec } from './support/dispatcher.ts';
import { FLINK_VERSIONS, killPod, turnsOf } from './support/lab.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

const MAIN = 'flink-main-container';
const BATCH = { job: { jarURI: 'local:///opt/flink/usrlib/WordCount.jar' } };
const KEPT = { afterEnd: { keepCluster: 'always', ttl: '1h' } };
/** Survives the container, as a bucket would. */
const HIGH_AVAILABILITY = {
  flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 'file:///ha' },
  jobManager: {
    podTemplate: {
      spec: {
        containers: [{ name: MAIN, volumeMounts: [{ name: 'ha', mountPath: '/ha' }] }],
        volumes: [{ name: 'ha', emptyDir: {} }],
        securityContext: { fsGroup: 9999 },
      },
    },
  },
};

describe.each(FLINK_VERSIONS)('Flink %s: a finished job is never run again', (version) => {
  const isTurn = turnsOf(version);
  let tenant: Tenant;
  const runs: Run[] = [];

  beforeAll(async () => {
    tenant = await openTenant(await apiOfKubeconfig());
  });
  afterAll(async () => {
    for (const run of runs) await run.stop();
    await tenant.remove();
  });

  const start = async (spec: Spec): Promise<Run> => {
    const run = await new Run({ tenant, version, spec: { ...BATCH, ...spec } }).start();
    runs.push(run);
    return run;
  };
  const container = async (ref: ClusterRef): Promise<PodFacts['containers'][number] | undefined> => {
    const { pods } = await createClusters(tenant.api).observe(ref);
    const [jobManager] = pods.filter(({ component, deleting }) => component === 'jobmanager' && !deleting);
    return jobManager?.containers.find(({ name }) => name === MAIN);
  };
  const jobs = async (ref: ClusterRef): Promise<readonly { readonly state: string }[] | undefined> => {
    const rest = createRestTransport(tenant.api, ref, { kind: 'service-proxy' });
    const answer = await rest({ method: 'GET', path: '/jobs/overview' }).catch(() => undefined);
    return (answer?.body as { jobs?: readonly { state: string }[] } | undefined)?.jobs;
  };
  const untilFinished = (ref: ClusterRef): Promise<void> =>
    expect.poll(() => jobs(ref), { timeout: 200_000, interval: 200 }).toMatchObject([{ state: 'FINISHED' }]);
  /** The kubelet has tried to start it, and was not allowed to. */
  const untilHeldBack = (ref: ClusterRef, restartCount = 0): Promise<void> =>
    expect
      .poll(() => container(ref), { timeout: 200_000, interval: 200 })
      .toMatchObject({ state: 'waiting', reason: 'CreateContainerConfigError', restartCount });

  it.runIf(isTurn())('by a kept cluster whose JobManager is killed', async () => {
    const run = await start(KEPT);
    await run.event('succeeded', 150);
    await run.until(({ attempts, outcome }) => (attempts[0]?.startRevokedAt ?? 0) >= (outcome?.at ?? Infinity), 10);
    // Somebody looks at it.
    expect(await jobs(run.ref)).toMatchObject([{ state: 'FINISHED' }]);
    await killPod(run.ref, 'jobmanager');
    await untilHeldBack(run.ref);
    run.clock.skip(3_600_000);
    await run.closed();
  });

  it('by a JobManager that is killed after the end and before any look, and the end is found', async () => {
    const run = await start({});
    await run.until(({ attempts }) => attempts[0]?.startRevokedAt !== undefined, 120);
    run.pause();
    await untilFinished(run.ref);
    await killPod(run.ref, 'jobmanager');
    await untilHeldBack(run.ref);
    run.resume();
    const { event } = await run.completed(60);
    expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished', flinkState: 'FINISHED' });
    await run.closed();
  });

  it('by a JobManager that high availability brings back, and the end is found', async () => {
    const run = await start(HIGH_AVAILABILITY);
    await run.until(({ attempts }) => attempts[0]?.jobManager !== undefined, 120);
    run.pause();
    await untilFinished(run.ref);
    await killPod(run.ref, 'jobmanager');
    await expect
      .poll(() => container(run.ref), { timeout: 200_000, interval: 1_000 })
      .toMatchObject({ state: 'running', restartCount: 1 });
    await expect.poll(() => jobs(run.ref), { timeout: 200_000, interval: 1_000 }).toBeDefined();
    // It knows of the end from its result stores: of a job without tasks, or of none when the application's end is stored.
    for (const job of (await jobs(run.ref)) ?? [])
      expect(job).toMatchObject({ state: 'FINISHED', tasks: { total: 0 } });
    run.resume();
    const { event } = await run.completed(60);
    expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished', flinkState: 'FINISHED' });
    await run.closed();
  });
});
