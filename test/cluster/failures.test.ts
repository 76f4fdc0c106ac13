import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../lib/cluster/api.ts';
import { createClusters } from '../../lib/cluster/clusters.ts';
import { findFailure } from '../../lib/cluster/findings.ts';
import { logWorthReading } from '../../lib/cluster/last-log.ts';
import { findInLog } from '../../lib/cluster/log-findings.ts';
import type { ClusterRef } from '../../lib/cluster/port.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { apiOfKubeconfig, makeNamespace, must } from '../contract/support/kubernetes.ts';
import { FLINK_VERSIONS, killContainer, kubectl, runFlink } from './support/lab.ts';
import { record } from './support/record.ts';
import { BAD_INIT_IMAGE, SCENARIOS, type Place, type Scenario } from './support/scenarios.ts';

/** What a run's looks see, until something is named: facts, and the log when it is worth reading. */
interface Named {
  readonly reason: string;
  readonly component: string;
  readonly message: string;
  readonly certainty: string;
  readonly seconds: number;
  readonly log: string;
}

const LOOK_EVERY = 300;
const places = new Map<Place, { readonly name: string; remove(): Promise<void> }>();
let api: KubernetesApi;
let files: string;

beforeAll(async () => {
  api = await apiOfKubeconfig();
  files = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
  writeFileSync(join(files, 'bad-init-image.yaml'), BAD_INIT_IMAGE);
  for (const place of ['allowed', 'no-pods', 'one-pod', 'forbidden'] as const) {
    const namespace = await makeNamespace(api);
    places.set(place, namespace);
    await kubectl('apply', '--namespace', namespace.name, '-k', 'infra/kubernetes/rbac');
    const pods = place === 'no-pods' ? '0' : '1';
    if (place !== 'no-pods' && place !== 'one-pod') continue;
    await must(api, {
      method: 'POST',
      path: `/api/v1/namespaces/${namespace.name}/resourcequotas`,
      body: { metadata: { name: 'pods' }, spec: { hard: { pods } } },
    });
  }
});

afterAll(async () => {
  for (const place of places.values()) await place.remove();
  rmSync(files, { recursive: true });
});

describe.each(FLINK_VERSIONS)('Flink %s: the failure is named', (version) => {
  const refOf = (scenario: Pick<Scenario, 'name' | 'place'>): ClusterRef => ({
    namespace: places.get(scenario.place ?? 'allowed')?.name ?? '',
    clusterId: parseClusterId(`${scenario.name}-${version.replaceAll('.', '-')}`.slice(0, 45)),
  });

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (_name, scenario) => {
    const ref = refOf(scenario);
    try {
      await runFlink({ version, ...ref, ...scenario.submission(files) });
      const named = await untilNamed(ref, scenario);
      await record(api, ref, `${version}/${scenario.name}`, named.log);
      expect(named).toMatchObject({ reason: scenario.reason, component: scenario.component });
      expect(named.seconds).toBeLessThan(scenario.within);
      console.log(
        `${version} ${scenario.name}: ${named.seconds.toFixed(1)} s, ${named.certainty} ${named.reason}: ${named.message}`,
      );
    } finally {
      await removeAll(ref);
    }
  });

  it('none in a job that runs; a JobManager that is killed, then', async () => {
    const ref = refOf({ name: 'jobmanager-killed' });
    const clusters = createClusters(api);
    try {
      await runFlink({ version, ...ref, jar: 'local:///opt/flink/usrlib/TopSpeedWindowing.jar' });
      await until(async () => (await clusters.observe(ref)).pods.filter(({ ready }) => ready).length === 2, 60);
      expect(findFailure(await clusters.observe(ref), Date.now())).toBeUndefined();
      await record(api, ref, `${version}/running`, '');
      const pods = await kubectl(
        'get',
        'pods',
        '-n',
        ref.namespace,
        '-l',
        `app=${ref.clusterId},component=jobmanager`,
        '-o',
        'jsonpath={.items[0].status.containerStatuses[0].containerID}',
      );
      const killed = Date.now();
      await killContainer(pods);
      await until(async () => findFailure(await clusters.observe(ref), Date.now()) !== undefined, 20);
      const finding = findFailure(await clusters.observe(ref), Date.now());
      console.log(`${version} jobmanager-killed: ${(Date.now() - killed) / 1000} s: ${finding?.message}`);
      await record(api, ref, `${version}/jobmanager-killed`, '');
      expect(finding).toMatchObject({ reason: 'JobManagerCrashed', certainty: 'final', component: 'jobmanager' });
    } finally {
      await removeAll(ref);
    }
  });
});

async function untilNamed(ref: ClusterRef, scenario: Scenario): Promise<Named> {
  const clusters = createClusters(api);
  const created = await createdAt(ref);
  let named: Named = { reason: 'none', component: '', message: '', certainty: '', seconds: 0, log: '' };
  let log = '';
  await until(async () => {
    const facts = await clusters.observe(ref);
    const seconds = (Date.now() - created) / 1000;
    const worth = logWorthReading(facts, Date.now());
    if (worth !== undefined) {
      const tail = await clusters.tail(ref, worth.pod, { ...worth, bytes: 256 * 1024 });
      log = tail.text === '' ? log : tail.text;
      const finding = findInLog(log);
      if (finding !== undefined) named = { ...finding, component: 'log', certainty: 'log', seconds, log };
    }
    const finding = findFailure(facts, Date.now());
    if (finding !== undefined && scenario.component !== 'log') named = { ...finding, seconds, log };
    return named.reason === scenario.reason && named.component === scenario.component && named.certainty !== '';
  }, scenario.within + 10).catch(() => undefined);
  return named;
}

async function createdAt({ namespace, clusterId }: ClusterRef): Promise<number> {
  const time = await kubectl(
    'get',
    'deployment',
    clusterId,
    '-n',
    namespace,
    '-o',
    'jsonpath={.metadata.creationTimestamp}',
  );
  return Date.parse(time);
}

async function removeAll(ref: ClusterRef): Promise<void> {
  const clusters = createClusters(api);
  await until(async () => {
    await clusters.remove(ref, { highAvailability: true });
    return (await clusters.remains(ref)).length === 0;
  }, 60);
}

async function until(holds: () => Promise<boolean>, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
