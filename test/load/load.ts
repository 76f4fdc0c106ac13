import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { kubeconfigText } from '../../infra/local/kubernetes/kubeconfig.ts';
import { startKubernetes } from '../../infra/local/kubernetes/server.ts';
import { silent } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { createKubernetesApi } from '../../lib/cluster/https-api.ts';
import { kubeconfigConnection } from '../../lib/cluster/kubeconfig.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { SimulatedNode } from '../simulated/node.ts';
import { startThrottle } from '../simulated/throttle.ts';

export interface LoadOptions {
  readonly runs: number;
  /** Pods that the namespace's ResourceQuota admits. */
  readonly room: number;
  /** Every nth request to Kubernetes is refused with 429. */
  readonly refuseEvery: number;
  /** Every nth message is sent a second time. */
  readonly repeatEvery: number;
  /** Milliseconds that a job runs. */
  readonly jobRuns: number;
  /** Milliseconds after which what is not over counts as lost. */
  readonly patience: number;
  readonly note: (line: string) => void;
}

export interface LoadReport {
  readonly sent: number;
  readonly records: number;
  readonly succeeded: number;
  /** Run ids with more or fewer than one completion event id. */
  readonly wronglyAnnounced: readonly string[];
  /** Outcomes other than success, by reason. */
  readonly failures: Readonly<Record<string, number>>;
  readonly mostAtOnce: number;
  readonly throttled: number;
  readonly remains: readonly string[];
  readonly seconds: number;
  /** Seconds from acceptance to the end of a run. */
  readonly latency: { readonly median: number; readonly p99: number; readonly most: number };
  /** Bytes of the largest run record. */
  readonly largestRecord: number;
}

/** Many messages at once, on the deployed functions, with a Kubernetes that has room for a few and is busy. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-load-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    let node: SimulatedNode | undefined;
    const kubernetes = await startKubernetes({
      dataDir: join(folder, 'kubernetes'),
      images: {},
      log: () => undefined,
      capacity: { cpu: '4000', memory: '4000Gi', pods: '10000' },
      node: (services) => (node = new SimulatedNode(services, { runs: options.jobRuns })),
    });
    stops.push(() => kubernetes.stop());
    await admit(kubernetes.kubeconfig, options.room);
    const throttle = await startThrottle(kubernetes.url, options.refuseEvery);
    stops.push(() => throttle.stop());
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText(throttle.url), { mode: 0o600 });
    const stack = await startStack({ kubernetes: { kubeconfig, namespace: 'default' }, progress: silent });
    stops.push(() => stack.stop());
    const report = await load(stack, options);
    return { ...report, mostAtOnce: node?.most ?? 0, throttled: throttle.counts.throttled };
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined);
  }
}

async function admit(kubeconfig: string, pods: number): Promise<void> {
  const api = createKubernetesApi(await kubeconfigConnection({ text: kubeconfig }));
  const body = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'room' },
    spec: { hard: { pods: String(pods) } },
  };
  const { status } = await api.request({ method: 'POST', path: '/api/v1/namespaces/default/resourcequotas', body });
  if (status !== 201) throw new Error(`the quota was not taken: ${status}`);
}

async function load(stack: Stack, options: LoadOptions): Promise<Omit<LoadReport, 'mostAtOnce' | 'throttled'>> {
  const began = Date.now();
  const message = (i: number): Promise<string> =>
    stack.send({
      idempotencyKey: `load-${i}`,
      spec: { name: `load-${i % 10}`, job: { jarURI: 'local:///opt/flink/usrlib/WordCount.jar', entryClass: 'a.B' } },
    });
  for (let from = 0; from < options.runs; from += 50) {
    const batch = Array.from({ length: Math.min(50, options.runs - from) }, (_, i) => from + i);
    await Promise.all(batch.flatMap((i) => (i % options.repeatEvery === 0 ? [message(i), message(i)] : [message(i)])));
  }
  const records = await over(stack, options, began);
  await quiet(stack, began + options.patience);
  const ended = records.filter(({ outcome }) => outcome !== undefined);
  const waits = ended.map(({ outcome, createdAt }) => ((outcome?.at ?? 0) - createdAt) / 1000).sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? NaN;
  return {
    sent: options.runs,
    records: records.length,
    succeeded: ended.filter(({ outcome }) => outcome?.state === 'succeeded').length,
    wronglyAnnounced: wronglyAnnounced(stack, records),
    failures: countBy(ended.flatMap(({ outcome }) => (outcome?.state === 'succeeded' ? [] : (outcome?.reason ?? '')))),
    remains: await stack.remains(),
    seconds: (Date.now() - began) / 1000,
    latency: { median: at(0.5), p99: at(0.99), most: at(1) },
    largestRecord: Math.max(0, ...records.map((record) => JSON.stringify(record).length)),
  };
}

/** Until every record is closed, or patience is. */
async function over(stack: Stack, { runs, patience, note }: LoadOptions, began: number): Promise<readonly RunRecord[]> {
  for (;;) {
    const records = await stack.client.records();
    const closed = records.filter(({ state }) => state === 'closed').length;
    note(`${Math.round((Date.now() - began) / 1000)} s: ${records.length} accepted, ${closed} over`);
    if (closed >= runs || Date.now() - began > patience) return records;
    await delay(5_000);
  }
}

async function quiet(stack: Stack, until: number): Promise<void> {
  while ((await stack.remains()).length > 0 && Date.now() < until) await delay(1_000);
}

function wronglyAnnounced(stack: Stack, records: readonly RunRecord[]): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { event } of stack.subscriber.deliveries) {
    if (event.type !== 'io.flink-dispatch.run.completed.v1') continue;
    ids.set(event.subject, (ids.get(event.subject) ?? new Set()).add(event.id));
  }
  return records.map(({ runId }) => runId as string).filter((runId) => ids.get(runId)?.size !== 1);
}

function countBy(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
