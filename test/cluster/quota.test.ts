import { expect, it } from 'vitest';
import { apiPath } from '../../lib/kubernetes/api/api.ts';
import { apiOfKubeconfig, must } from '../contract/support/kubernetes.ts';
import { startRun } from './support/dispatcher.ts';
import { WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS } from './support/lab.ts';
import { openTenant } from './support/tenant.ts';

const REQUESTS = 6;
const [VERSION = ''] = FLINK_VERSIONS;

interface Events {
  readonly items: readonly { readonly reason: string; readonly involvedObject: Record<'kind' | 'name', string> }[];
}

it('six requests at a quota of one cluster are done one by one', { timeout: 600_000 }, async (test) => {
  const admin = await apiOfKubeconfig();
  const tenant = await openTenant(admin, { pods: 2 });
  test.onTestFinished(() => tenant.remove());
  const begun = Date.now();
  const request = { tenant, version: VERSION, spec: WORD_COUNT };
  const runs = await Promise.all(Array.from({ length: REQUESTS }, () => startRun(request, test)));
  const ends = await Promise.all(runs.map((run) => run.completed(500)));
  expect(ends.map(({ event }) => event.data.state)).toEqual(runs.map(() => 'succeeded'));
  const path = apiPath('api', 'v1', 'namespaces', tenant.namespace, 'events');
  const { items } = (await must(admin, { method: 'GET', path })) as Events;
  const namesOf = (kind: string, reason: string): ReadonlySet<string> =>
    new Set(
      items.flatMap((it) => (it.reason === reason && it.involvedObject.kind === kind ? [it.involvedObject.name] : [])),
    );
  const launches = namesOf('Deployment', 'ScalingReplicaSet').size;
  const jobManagers = [...namesOf('Pod', 'Started')].filter((name) => !name.includes('-taskmanager-'));
  console.log(`${launches} launches, ${jobManagers.length} JobManagers, ${Math.round((Date.now() - begun) / 1000)} s`);
  expect(jobManagers).toHaveLength(REQUESTS);
  expect(launches).toBeLessThanOrEqual(1.2 * REQUESTS);
  await Promise.all(runs.map((run) => run.closed()));
});
