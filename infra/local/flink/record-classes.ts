// usage: record-classes.ts FLINK_VERSION FLINK_HOME LIST
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startKubernetes, type LocalKubernetes } from '../../../packages/local-kubernetes/src/server.ts';
import { cacheFolder } from '../cache.ts';
import type { FlinkDistribution } from './distribution.ts';
import { buildExampleJobs } from './example-jobs.ts';

const CLUSTER = 'recorded';
const JOB = '/opt/flink/usrlib/WordCount.jar';
/** Milliseconds from the start of the client to the end of the JobManager. */
const LIMIT = 300_000;

/**
 * A file with the classes that a Flink application cluster loads on Kubernetes, from its start to the end of a job, one a
 * line: recorded once for each version, on the local Kubernetes, whose pods are processes. For archives of them:
 * `class-archive.ts`, the lab's images.
 */
export async function ensureClassList(flink: FlinkDistribution): Promise<string> {
  const list = join(cacheFolder(), 'java', `${flink.version}.classes`);
  if (existsSync(list)) return list;
  await mkdir(dirname(list), { recursive: true });
  const part = `${list}.${String(process.pid)}`;
  await writeFile(part, await record(flink));
  await rename(part, list);
  return list;
}

async function record(flink: FlinkDistribution): Promise<string> {
  const { version, flinkHome } = flink;
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-classes-'));
  const image = `flink:${version}`;
  const dataDir = join(folder, 'kubernetes');
  const files = { [JOB]: (await buildExampleJobs(flink)).wordCount };
  const kubernetes = await startKubernetes({
    dataDir,
    images: { [image]: { flinkHome, files } },
    log: () => undefined,
  });
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubernetes.kubeconfig, { mode: 0o600 });
    await submit({ version, flinkHome, image, kubeconfig, folder });
    await untilEnded(kubernetes);
    return await classesIn(folder);
  } finally {
    await kubernetes.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Submission {
  readonly version: string;
  readonly flinkHome: string;
  readonly image: string;
  readonly kubeconfig: string;
  /** Gets the lists of the JVMs. */
  readonly folder: string;
}

async function submit({ version, flinkHome, image, kubeconfig, folder }: Submission): Promise<void> {
  const listOf = (name: string): string => `-XX:DumpLoadedClassList=${join(folder, `${name}.classes`)}`;
  const options = {
    'kubernetes.cluster-id': CLUSTER,
    'kubernetes.container.image.ref': image,
    'containerized.master.env.JVM_ARGS': listOf('jobmanager'),
    'containerized.taskmanager.env.JVM_ARGS': listOf('taskmanager'),
  };
  const properties = Object.entries(options).map(([key, value]) => `-D${key}=${value}`);
  await promisify(execFile)(
    join(flinkHome, 'bin', 'flink'),
    [
      ...[version.startsWith('1.') ? 'run-application' : 'run', '--target', 'kubernetes-application'],
      ...[...properties, `local://${JOB}`],
    ],
    { env: { ...process.env, KUBECONFIG: kubeconfig, FLINK_CONF_DIR: join(flinkHome, 'conf') } },
  );
}

/** Asks the JobManager about its job until it has removed its own cluster: the REST endpoint's classes are recorded too. */
async function untilEnded({ url }: LocalKubernetes): Promise<void> {
  const rest = `${url}/api/v1/namespaces/default/services/${CLUSTER}-rest:8081/proxy`;
  const ask = async (path: string): Promise<unknown> => (await fetch(`${rest}${path}`)).json().catch(() => undefined);
  for (const end = Date.now() + LIMIT; Date.now() < end; await sleep(250)) {
    const pods = await fetch(`${url}/api/v1/namespaces/default/pods`);
    if (((await pods.json()) as { readonly items: readonly unknown[] }).items.length === 0) return;
    const overview = (await ask('/jobs/overview')) as
      { readonly jobs?: readonly { readonly jid: string }[] } | undefined;
    for (const { jid } of overview?.jobs ?? [])
      for (const path of [`/jobs/${jid}`, `/jobs/${jid}/exceptions`, `/jobs/${jid}/accumulators`, '/taskmanagers'])
        await ask(path);
  }
  throw new Error(`the cluster whose classes are recorded has not ended within ${String(LIMIT / 1000)} s`);
}

/** Of all JVMs, once each; without those that a job's own class loader has loaded. */
async function classesIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.classes'));
  if (names.length < 2) throw new Error(`classes were recorded of ${names.join(', ') || 'no JVM'} alone`);
  const lists = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const lines = lists.flatMap((list) => list.split('\n'));
  return [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#') && !line.includes('source:')))].join(
    '\n',
  );
}

if (process.argv[1] === import.meta.filename) {
  const [version = '', flinkHome = '', list = ''] = process.argv.slice(2);
  await copyFile(await ensureClassList({ version, flinkHome }), list);
}
