import type { V1Deployment } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectClient } from '../../../lib/kubernetes/api/client.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { apiOfKubeconfig } from '../../contract/support/kubernetes.ts';
import { FLINK_VERSIONS } from '../support/lab.ts';
import { exampleJar, SessionDispatcher } from '../support/session-dispatcher.ts';
import { openTenant, type Tenant } from '../support/tenant.ts';
import { clusterId as asClusterId } from '../../fakes/ids.ts';

const inPool = { mode: 'session', session: { pool: 'small' }, job: { jarURI: 's3://jars/WordCount.jar' } };
const ENDLESS = { ...inPool, job: { jarURI: 's3://jars/TopSpeedWindowing.jar', kind: 'streaming' } };

describe.each(FLINK_VERSIONS)('jobs in a session of Flink %s', (version) => {
  let tenant: Tenant;
  let dispatcher: SessionDispatcher;
  let theirs: string;

  beforeAll(async () => {
    tenant = await openTenant(await apiOfKubeconfig());
    dispatcher = new SessionDispatcher(tenant, version);
    await dispatcher.open();
  });
  afterAll(async () => {
    await dispatcher.stop();
    await tenant.remove();
  });

  const refOf = (runId: RunId): ClusterRef => {
    const clusterId = dispatcher.record(runId).attempts.at(-1)?.clusterId;
    if (clusterId === undefined) throw new Error('no attempt');
    return { namespace: tenant.namespace, clusterId };
  };
  const deployments = async (): Promise<readonly string[]> => {
    const found = await createObjectClient(tenant.api).list<V1Deployment>('Deployment', tenant.namespace, {});
    return found.map(({ metadata }) => metadata?.name ?? '');
  };
  const live = async (ref: ClusterRef): Promise<readonly string[]> => {
    const { jobs } = await dispatcher.target.jobManager(ref).overview();
    return jobs.filter(({ endTime }) => endTime < 0).map(({ id }) => id);
  };

  it('begins one session for three first jobs at once, and tells how each ended', { timeout: 400_000 }, async () => {
    const missing = { ...inPool.job, args: ['--input', '/no/such/file', '--execution-mode', 'BATCH'] };
    const [good, failing, broken] = await Promise.all([
      dispatcher.request({ ...inPool, flinkConfiguration: { 'execution.runtime-mode': 'BATCH' } }),
      dispatcher.request({ ...inPool, job: missing }),
      dispatcher.request({ ...inPool, job: { ...inPool.job, args: ['--execution-mode', 'bogus'] } }),
    ]);
    const started = Date.now();
    const succeeded = await dispatcher.closed(good);
    console.log(`${version}: first job of a pool closed in ${Date.now() - started} ms`);
    expect(succeeded.outcome).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    const ref = refOf(good);
    expect((await dispatcher.closed(failing)).outcome).toMatchObject({
      state: 'failed',
      reason: 'JobFailed',
      rootException: expect.stringMatching(/FileNotFoundException|does not exist/) as string,
    });
    expect((await dispatcher.closed(broken)).outcome).toMatchObject({
      state: 'failed',
      reason: 'ApplicationFailed',
      rootException: expect.stringMatching(/bogus/i) as string,
    });
    expect(await deployments()).toEqual([ref.clusterId]);
    expect([refOf(failing), refOf(broken)]).toEqual([ref, ref]);
    expect(await dispatcher.target.session(ref).jars.list()).toEqual([]);
    expect(dispatcher.evidence.files.size).toBeGreaterThan(0);
  });

  it(
    'cancels its own job alone, and recognises one whose submission was never answered',
    { timeout: 180_000 },
    async () => {
      const first = await dispatcher.request(ENDLESS);
      await dispatcher.until(first, ({ state }) => state === 'running', 120);
      const ref = refOf(first);
      const { jars } = dispatcher.target.session(ref);
      const jarId = await jars.upload('theirs.jar', exampleJar(version, 'TopSpeedWindowing.jar'));
      theirs = await jars.run(jarId, {});
      let mains = 0;
      dispatcher.aroundRun = async (run) => {
        mains += 1;
        await run();
        throw new DispatchError('RestUnreachable', 'the answer was lost (test)');
      };
      const warm = Date.now();
      const lost = await dispatcher.request(inPool);
      const done = await dispatcher.closed(lost);
      dispatcher.aroundRun = (run) => run();
      const { runningAt = 0, launchedAt = 0 } = done.attempts[0] ?? {};
      console.log(`${version}: warm: running after ${runningAt - launchedAt} ms, closed after ${Date.now() - warm} ms`);
      expect([done.outcome?.state, done.attempts.length, mains]).toEqual(['succeeded', 1, 1]);
      await dispatcher.cancel(first);
      expect((await dispatcher.closed(first)).outcome).toMatchObject({ state: 'canceled', flinkState: 'CANCELED' });
      expect(await live(ref)).toEqual([theirs]);
      expect((await jars.list()).map(({ name }) => name)).toEqual(['theirs.jar']);
      expect(await deployments()).toEqual([ref.clusterId]);
    },
  );

  it(
    'stops the session when it has been idle, and not while anybody has a job in it',
    { timeout: 120_000 },
    async () => {
      const [clusterId = ''] = await deployments();
      const ref = { namespace: tenant.namespace, clusterId: asClusterId(clusterId) };
      dispatcher.skip(20 * 60_000);
      await dispatcher.sweep();
      expect(await deployments()).toEqual([clusterId]);
      await dispatcher.target.jobManager(ref).cancel(theirs);
      await expect.poll(() => live(ref), { timeout: 30_000 }).toEqual([]);
      await dispatcher.sweep();
      dispatcher.skip(6 * 60_000);
      const gone = async (): Promise<readonly string[]> => {
        await dispatcher.sweep();
        return dispatcher.target.cluster.remains(ref);
      };
      await expect.poll(gone, { timeout: 60_000, interval: 500 }).toEqual([]);
      expect(await deployments()).toEqual([]);
    },
  );

  it('is told at once that a session is not there', { timeout: 60_000 }, async () => {
    const runId = await dispatcher.request({ ...inPool, session: { clusterId: 'team-a' } });
    expect((await dispatcher.closed(runId, 30)).outcome).toMatchObject({ state: 'failed', reason: 'SessionNotFound' });
  });
});
