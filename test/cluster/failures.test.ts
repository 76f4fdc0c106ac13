import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { Run, type Published } from './support/dispatcher.ts';
import { FLINK_VERSIONS, turnsOf } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { recording } from './support/record.ts';
import { SCENARIOS, type Scenario } from './support/scenarios.ts';
import { liftQuota, openTenant, type Tenant } from './support/tenant.ts';

/** JVMs that start side by side on a small machine slow each other down. */
const pool = createPool(3);
const TIME_LIMIT = 500_000;

let admin: KubernetesApi;
let shared: Tenant;

beforeAll(async () => {
  admin = await apiOfKubeconfig();
  shared = await openTenant(admin);
});
afterAll(() => shared.remove());

type Case = readonly [version: string, name: string, scenario: Scenario];
/** What the log has to tell depends on Flink's version; what pods and events tell does not. */
const CASES: readonly Case[] = FLINK_VERSIONS.flatMap((version) => {
  const isTurn = turnsOf(version);
  return SCENARIOS.filter(({ component }) => component === 'log' || isTurn()).map(
    (scenario) => [version, scenario.name, scenario] as const,
  );
});

async function start([version, name, { spec }]: Case, tenant: Tenant, test: TestContext): Promise<Run> {
  const run = new Run({ tenant, version, spec, beforeRemoval: recording(admin, `${version}/${name}`) });
  test.onTestFinished(() => run.stop());
  return run.start();
}

/** From the cluster's creation to the event, in seconds. */
function verdictTime([version, name]: Case, run: Run, { event, at }: Published): number {
  const seconds = (at - (run.record.attempts[0]?.createdAt ?? 0)) / 1000;
  console.log(`${version} ${name}: ${seconds.toFixed(1)} s ${event.data.reason}: ${event.data.message}`);
  return seconds;
}

describe.concurrent('the failure is in the event', () => {
  it.for(CASES.filter(([, , { pods }]) => pods === undefined))('Flink %s: %s', { timeout: TIME_LIMIT }, (its, test) =>
    pool(async () => {
      const [, , { reason, within }] = its;
      const run = await start(its, shared, test);
      const published = await run.completed(within + 60);
      const seconds = verdictTime(its, run, published);
      const { data } = published.event;
      expect(data).toMatchObject({ state: 'failed', reason, attempt: 1 });
      expect(data.evidence?.findings.length).toBeGreaterThan(0);
      expect(data.evidence?.items.map(({ uri }) => run.evidence.files.has(uri))).not.toContain(false);
      expect(seconds).toBeLessThan(within);
      await run.closed();
    }),
  );

  it.for(CASES.filter(([, , { pods }]) => pods !== undefined))(
    'Flink %s: %s waits without using an attempt, and runs when there is room',
    { timeout: TIME_LIMIT },
    (its, test) =>
      pool(async () => {
        const [, , { pods = 0, reason, within }] = its;
        const tenant = await openTenant(admin, { hard: { pods: String(pods) }, scopes: ['NotTerminating'] });
        test.onTestFinished(() => tenant.remove());
        const run = await start(its, tenant, test);
        const { waiting } = await run.until((record) => record.waiting !== undefined, within + 60);
        const seconds = (Date.now() - (run.record.attempts[0]?.createdAt ?? 0)) / 1000;
        console.log(`${its[0]} ${its[1]}: ${seconds.toFixed(1)} s ${reason}: ${waiting?.message}`);
        expect(waiting).toMatchObject({ reason });
        expect(seconds).toBeLessThan(within);
        await liftQuota(admin, tenant);
        const end = await run.completed(300);
        expect(end.event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
        expect(run.published.map(({ event }) => event.data.state)).not.toContain('attempt-failed');
        await run.closed();
      }),
  );
});
