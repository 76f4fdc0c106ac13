import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildCli, bundle } from '../../infra/build-cli.mjs';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { describeError } from '../../lib/core/errors.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { createJars } from '../../lib/flink/rest/jars.ts';
import { LAB } from '../cluster/support/lab.ts';
import { enterNetwork, START_IT } from './enter.ts';

/**
 * From the command, or the call in a warm function, to the first task of a short job: in a session whose TaskManager
 * waits, and in application mode, which makes a cluster for it; by this product and by Flink's own client. All in turns,
 * in the network of the local cluster; the JobManager's own clock tells when the task was deployed.
 */
const FLINK_VERSION = '2.3.0';
const FLINK = join(LAB, 'flink', FLINK_VERSION);
const JAR = join(FLINK, 'usrlib', 'WordCount.jar');
const JAR_OF_IMAGE = 'local:///opt/flink/usrlib/WordCount.jar';
const ROUNDS = { session: 5, application: 2 } as const;
const PATIENCE = 180_000;
const run = promisify(execFile);

interface Way {
  readonly label: string;
  readonly mode: keyof typeof ROUNDS;
  /** Answers the cluster and the job. */
  submit(): Promise<{ readonly clusterId: string; readonly jobId: string }>;
}

interface Bench {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly session: string;
}

process.exitCode =
  process.env['NODE_IP'] === undefined ? ((await enterNetwork(FLINK_VERSION)) ?? fail(START_IT)) : await bench();

async function bench(): Promise<number> {
  const api = createKubernetesApi(await kubeconfigConnection({ files: kubeconfigFiles(process.env) }));
  const ready = await api.request({ method: 'GET', path: '/readyz', timeout: 3_000 }).catch(() => undefined);
  if (ready?.status !== 200) return fail(START_IT);
  await buildCli();
  const namespace = `bench-session-${randomBytes(3).toString('hex')}`;
  try {
    await openNamespace(api, namespace);
    const at = { api, namespace, session: 'session' };
    await cli('session', 'start', ...options(at, at.session));
    const ways = waysOf(at);
    const [first] = ways;
    // starts the TaskManager, and warms the JVMs up
    if (first !== undefined) for (let i = 0; i < 2; i += 1) await sample(at, first);
    const samples = await measure(at, ways);
    console.log(report(ways, samples));
    return 0;
  } catch (error) {
    return fail(describeError(error));
  } finally {
    await api.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
  }
}

function options({ namespace }: Bench, clusterId: string): string[] {
  return Object.entries({
    'kubernetes.cluster-id': clusterId,
    'kubernetes.namespace': namespace,
    'kubernetes.container.image.ref': `localhost/flink:${FLINK_VERSION}`,
    'jobmanager.memory.process.size': '900m',
    'taskmanager.memory.process.size': '1000m',
    'kubernetes.jobmanager.cpu.amount': '0.1',
    'kubernetes.jobmanager.cpu.limit-factor': '20',
    'kubernetes.taskmanager.cpu.amount': '0.1',
    'kubernetes.taskmanager.cpu.limit-factor': '20',
    'resourcemanager.taskmanager-timeout': '1 h',
  }).map(([key, value]) => `-D${key}=${value}`);
}

function waysOf(at: Bench): readonly Way[] {
  const { api, namespace, session } = at;
  const ref = { namespace, clusterId: parseClusterId(session) };
  const jars = createJars(createRestTransport(api, ref, { kind: 'service-proxy' }));
  const jar = readFileSync(JAR);
  const intoSession = ['run', '-d', '-t', 'kubernetes-session', ...options(at, session), JAR];
  return [
    {
      ...{ label: 'session, warm function', mode: 'session' },
      submit: async () => ({ clusterId: session, jobId: await jars.run(await jars.upload('WordCount.jar', jar), {}) }),
    },
    {
      ...{ label: 'session, flink-dispatch run -d', mode: 'session' },
      submit: async () => ({ clusterId: session, jobId: jobIdIn(await cli(...intoSession)) }),
    },
    {
      ...{ label: 'session, bin/flink run -d', mode: 'session' },
      submit: async () => ({ clusterId: session, jobId: jobIdIn(await flink(intoSession)) }),
    },
    { ...{ label: 'application, flink-dispatch run -d', mode: 'application' }, submit: () => application(at, cli) },
    {
      ...{ label: 'application, bin/flink run -d', mode: 'application' },
      submit: () => application(at, (...argv) => flink(argv)),
    },
  ];
}

async function application(at: Bench, execute: (...argv: string[]) => Promise<string>) {
  const [clusterId, jobId] = [`app-${randomBytes(3).toString('hex')}`, randomBytes(16).toString('hex')];
  const readable = [`-D$internal.pipeline.job-id=${jobId}`, '-Dexecution.shutdown-on-application-finish=false'];
  await execute('run', '-d', '-t', 'kubernetes-application', ...options(at, clusterId), ...readable, JAR_OF_IMAGE);
  return { clusterId, jobId };
}

async function cli(...argv: string[]): Promise<string> {
  return (await run(process.execPath, [bundle, ...argv], { timeout: PATIENCE })).stdout;
}

async function flink(argv: readonly string[]): Promise<string> {
  const env = { ...process.env, FLINK_CONF_DIR: join(FLINK, 'conf') };
  return (await run(join(FLINK, 'bin', 'flink'), [...argv], { env, timeout: PATIENCE })).stdout;
}

function jobIdIn(text: string): string {
  const [, id] = /JobID ([0-9a-f]{32})/.exec(text) ?? [];
  if (id === undefined) throw new Error(`no job id in: ${text}`);
  return id;
}

async function measure(at: Bench, ways: readonly Way[]): Promise<readonly number[][]> {
  const samples: number[][] = ways.map(() => []);
  for (let round = 0; round < Math.max(...Object.values(ROUNDS)); round += 1) {
    for (const [index, way] of ways.entries()) {
      if (round < ROUNDS[way.mode]) samples[index]?.push(await sample(at, way));
    }
  }
  return samples;
}

/** Milliseconds until the first task was deployed. The next one begins when this job, and its cluster, are gone. */
async function sample(at: Bench, way: Way): Promise<number> {
  const start = Date.now();
  const { clusterId, jobId } = await untilAnswered(way);
  const job = await until(async () => {
    const seen = await jobOf(at, clusterId, jobId);
    return seen?.state === 'FINISHED' ? seen : undefined;
  }, `${way.label}: the end of job ${jobId}`);
  if (way.mode === 'application') await removeCluster(at, clusterId);
  return Math.min(...job.vertices.map((vertex) => vertex['start-time'])) - start;
}

/** The session may still start when the first way is tried first. */
function untilAnswered(way: Way): ReturnType<Way['submit']> {
  if (way.mode === 'application') return way.submit();
  return until(() => way.submit().catch(retryable), `${way.label} to be taken`);
}

function retryable(error: unknown): undefined {
  if (/RestUnreachable|no endpoints|refused|503/.test(describeError(error))) return undefined;
  throw error;
}

interface Job {
  readonly state: string;
  readonly vertices: readonly { readonly 'start-time': number }[];
}

async function jobOf({ api, namespace }: Bench, clusterId: string, jobId: string): Promise<Job | undefined> {
  const path = `/api/v1/namespaces/${namespace}/services/${clusterId}-rest:rest/proxy/jobs/${jobId}`;
  const { status, body } = await api.request({ method: 'GET', path });
  return status === 200 ? (body as Job) : undefined;
}

async function removeCluster({ api, namespace }: Bench, clusterId: string): Promise<void> {
  const clusters = createClusters(api);
  const ref = { namespace, clusterId: parseClusterId(clusterId) };
  await until(async () => {
    await clusters.remove(ref, { highAvailability: true });
    return (await clusters.remains(ref)).length === 0 ? true : undefined;
  }, `the objects of ${clusterId} to go`);
}

async function until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${PATIENCE / 1000} s for ${what}`);
    await sleep(100);
  }
}

async function openNamespace(api: KubernetesApi, name: string): Promise<void> {
  const created = await api.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
  const body = {
    metadata: { name: 'flink' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: name }],
  };
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}/rolebindings`;
  const bound = await api.request({ method: 'POST', path, body });
  if (created.status !== 201 || bound.status !== 201) throw new Error(`namespace ${name} could not be made`);
}

function report(ways: readonly Way[], samples: readonly number[][]): string {
  const rows = ways.map(({ label }, index) => {
    const sorted = (samples[index] ?? []).toSorted((a, b) => a - b);
    const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
    return { label, n: sorted.length, min: sorted[0] ?? NaN, median, max: sorted.at(-1) ?? NaN };
  });
  const row = (cells: readonly (string | number)[]) =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(38) : String(cell).padStart(9))).join('');
  const lines = rows.map(({ label, n, min, median, max }) => row([label, n, min, median, max]));
  const [warm, , , own] = rows;
  const times = Number(((own?.median ?? NaN) / (warm?.median ?? NaN)).toFixed(1));
  const json = JSON.stringify({ bench: 'session', flink: FLINK_VERSION, ms: rows, applicationToWarmSession: times });
  const heading = row(['submit to first task, ms', 'samples', 'min', 'median', 'max']);
  return [heading, ...lines, '', `application mode / warm session: ${times}`, '', json].join('\n');
}

function fail(message: string): number {
  console.error(`bench:session: ${message}`);
  return 1;
}
