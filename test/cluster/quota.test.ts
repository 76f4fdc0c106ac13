import { describe, expect, it, type TestContext } from 'vitest';
import { apiPath, type KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { apiOfKubeconfig, must } from '../contract/support/kubernetes.ts';
import { startRun } from './support/dispatcher.ts';
import { WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS, turnsOf } from './support/lab.ts';
import { openTenant } from './support/tenant.ts';

/** How many requests, of each resource: `QUOTA_REQUESTS=30` is for a machine that nothing else needs for some time. */
const { QUOTA_REQUESTS } = process.env;

interface Case {
  readonly resource: string;
  /** What one cluster takes. Two JobManagers fit as well, and leave no room for a TaskManager. */
  readonly hard: string;
  readonly requests: number;
}

/** Two requests are enough to stand in each other's way. */
const CASES: readonly Case[] = [
  { resource: 'pods', hard: '2', requests: 6 },
  { resource: 'limits.cpu', hard: '4', requests: 2 },
  { resource: 'limits.memory', hard: '1900Mi', requests: 2 },
];

interface Events {
  readonly items: readonly { readonly reason: string; readonly involvedObject: Record<'kind' | 'name', string> }[];
}

type NamesOf = (kind: string, reason: string) => ReadonlySet<string>;

/** The objects of a namespace that have an event of a reason. */
async function readEvents(admin: KubernetesApi, namespace: string): Promise<NamesOf> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'events');
  const { items } = (await must(admin, { method: 'GET', path })) as Events;
  return (kind, reason) =>
    new Set(
      items.flatMap((it) => (it.reason === reason && it.involvedObject.kind === kind ? [it.involvedObject.name] : [])),
    );
}

/** Every request is answered once: with a JobManager that nothing was in the way of, and few that were made in vain. */
async function expectOneByOne({ resource, hard, requests: few }: Case, version: string, test: TestContext) {
  const requests = QUOTA_REQUESTS === undefined ? few : Number(QUOTA_REQUESTS);
  const admin = await apiOfKubeconfig();
  const tenant = await openTenant(admin, { hard: { [resource]: hard } });
  test.onTestFinished(() => tenant.remove());
  const begun = Date.now();
  const runs = await Promise.all(
    Array.from({ length: requests }, () => startRun({ tenant, version, spec: WORD_COUNT }, test)),
  );
  const ends = await Promise.all(runs.map((run) => run.completed(60 + 90 * requests)));
  const seconds = Math.round((Date.now() - begun) / 1000);
  expect(ends.map(({ event }) => event.data.state)).toEqual(runs.map(() => 'succeeded'));
  const namesOf = await readEvents(admin, tenant.namespace);
  const launches = namesOf('Deployment', 'ScalingReplicaSet').size;
  const jobManagers = [...namesOf('Pod', 'Started')].filter((name) => !name.includes('-taskmanager-'));
  const counted = `${requests} runs, ${launches} launches, ${jobManagers.length} JobManagers, ${seconds} s`;
  console.log(`${version} ${resource}: ${counted}`);
  expect(jobManagers).toHaveLength(requests);
  expect(launches).toBeLessThanOrEqual(1.2 * requests);
  await Promise.all(runs.map((run) => run.closed()));
}

describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: 3_000_000 }, (version) => {
  const isTurn = turnsOf(version);
  it.for(CASES.filter(() => isTurn()))(
    'requests at a quota of one cluster are done one by one: $resource $hard',
    (one, test) => expectOneByOne(one, version, test),
  );
});
