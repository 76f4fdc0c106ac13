import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExampleJobs, type ExampleJobs } from '../../infra/local/flink/example-jobs.ts';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { FLINK_VERSIONS, imageOf, LAB } from './support/lab.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

/**
 * The deployed functions, on a local AWS, with the real cluster: as in test/local/main-path.test.ts, and pods are pods.
 * They fetch their jars from this machine, so this runs where they reach it.
 */
const host = process.env['NODE_IP'];
const { missing } = await checkTools();
const lacking = missing.map(({ name, todo }) => `${name}: ${todo}`).join('; ');
const skipped = host === undefined ? 'run it inside the cluster: test/cluster/lab/enter npm run test:cluster' : lacking;
if (skipped !== '' && process.env['CI'] !== undefined) throw new Error(`the main path cannot be tested: ${skipped}`);
if (skipped !== '') console.warn(`SKIPPED: test/cluster/main-path.test.ts: ${skipped}`);

/** Seconds: clusters of three runs start side by side. */
const END = 240_000;

describe.skipIf(skipped !== '')('the main path on a real cluster, with the least Role', () => {
  let admin: KubernetesApi;
  let tenant: Tenant;
  let stack: Stack;
  let tries = 0;

  beforeAll(async () => {
    admin = await apiOfKubeconfig();
    tenant = await openTenant(admin);
    // What the cluster's images were made of; nothing can be fetched from inside its network.
    process.env['FLINK_HOME'] ??= join(LAB, 'flink', FLINK_VERSIONS[0] ?? '');
    const { kubeconfig, namespace } = tenant;
    const kubernetes = { kubeconfig, namespace, image: imageOf(FLINK_VERSIONS[0] ?? ''), serviceAccount: 'flink' };
    stack = await startStack({ progress: silent, kubernetes, host: host ?? '' });
  });
  afterAll(async () => {
    await stack?.stop();
    await tenant.remove();
  });

  const eventsOf = (runId: string): readonly LifecycleEvent[] =>
    stack.subscriber.deliveries.map(({ event }) => event).filter(({ subject }) => subject === runId);

  async function completed(name: string): Promise<LifecycleEvent> {
    const fits = ({ type, data }: LifecycleEvent): boolean => type.includes('.completed.') && data.name === name;
    return (await stack.nextEvent(fits, END)).event;
  }

  /** The record is closed, and neither the dispatcher's look nor one with all rights finds anything. */
  async function expectGone({ subject, data }: LifecycleEvent): Promise<void> {
    const state = async (): Promise<unknown> => (await stack.client.record(subject))?.state;
    await expect.poll(state, { timeout: 90_000, interval: 250 }).toBe('closed');
    const record = await stack.client.record(subject);
    expect(record?.attempts.map(({ clusterId }) => clusterId)).toEqual([data.clusterId]);
    for (const { clusterId } of record?.attempts ?? []) {
      expect(await createClusters(admin).remains({ namespace: tenant.namespace, clusterId })).toEqual([]);
    }
    expect(eventsOf(subject).map(({ data }) => data.state)).toEqual(['accepted', 'started', 'succeeded']);
    expect(eventsOf(subject).map(({ data }) => data.sequence)).toEqual([1, 2, 3]);
  }

  async function dueAtOnce(job: string): Promise<void> {
    await stack.schedule({
      name: job,
      expression: `at(${new Date(Date.now() + 2_000).toISOString().slice(0, 19)})`,
      timezone: 'UTC',
      input: { job, schedule: '<aws.scheduler.schedule-arn>', scheduledTime: '<aws.scheduler.scheduled-time>' },
    });
  }

  it.each(FLINK_VERSIONS)('Flink %s: a jar, a message and a schedule', { timeout: 2 * END }, async (version) => {
    tries += 1;
    const named = (trigger: string): string => `${trigger}-${version.replaceAll('.', '-')}-${tries}`;
    const jars = await jarsOf(version);
    await stack.storeJob(named('stored'), specOf(version, named('stored')), jars.wordCount);
    await stack.storeJob(named('due'), specOf(version, named('due')), jars.wordCount);
    await stack.upload(jars.orderTotals, {
      key: `${version}/order totals.${tries}.jar`,
      spec: specOf(version, named('jar')),
    });
    await stack.send({ runJob: named('stored'), idempotencyKey: named('key'), spec: { name: named('message') } });
    await dueAtOnce(named('due'));

    const [jar, message, schedule] = await Promise.all([
      completed(named('jar')),
      completed(named('message')),
      completed(named('due')),
    ]);
    const well = { state: 'succeeded', reason: 'JobFinished', flinkState: 'FINISHED', image: imageOf(version) };
    expect(jar.data).toMatchObject({ ...well, accumulators: { orders: '1000' }, request: { kind: 'jar-upload' } });
    expect(message.data).toMatchObject({ ...well, request: { kind: 'message', idempotencyKey: named('key') } });
    expect(schedule.data).toMatchObject({ ...well, request: { kind: 'schedule' } });
    for (const event of [jar, message, schedule]) await expectGone(event);
    await expect.poll(() => stack.remains(), { timeout: 20_000, interval: 250 }).toEqual([]);
  });
});

function jarsOf(version: string): Promise<ExampleJobs> {
  return buildExampleJobs({ version, flinkHome: join(LAB, 'flink', version) });
}

/** Little is asked for and much allowed: a JVM that may use no more than a fifth of a core takes minutes to start. */
function specOf(version: string, name: string): object {
  return {
    ...{ name, image: imageOf(version), flinkVersion: version },
    jobManager: { resource: { cpu: 0.1, memory: '900m' } },
    taskManager: { resource: { cpu: 0.1, memory: '1000m' } },
    flinkConfiguration: {
      'kubernetes.jobmanager.cpu.limit-factor': '20',
      'kubernetes.taskmanager.cpu.limit-factor': '20',
    },
  };
}
