import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { buildCli, bundle } from '../../../infra/build-cli.mjs';
import type { KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { createKubernetesApi } from '../../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../../lib/kubernetes/access/kubeconfig.ts';
import { clientVariables, LAB } from './lab.ts';

const ENTER = fileURLToPath(new URL('../lab/enter', import.meta.url));
/** A JVM that may use no more than a fifth of a core takes minutes to start: little is asked for, much allowed. */
export const SMALL = [
  '-Djobmanager.memory.process.size=1g',
  '-Dtaskmanager.memory.process.size=1g',
  '-Dkubernetes.jobmanager.cpu.amount=0.1',
  '-Dkubernetes.jobmanager.cpu.limit-factor=20',
  '-Dkubernetes.taskmanager.cpu.amount=0.1',
  '-Dkubernetes.taskmanager.cpu.limit-factor=20',
];

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  readonly err: () => string;
  readonly done: Promise<Result>;
}

export interface Job {
  readonly id: string;
  readonly state: string;
  readonly tasks: Readonly<Record<string, number>>;
}

/** The command line as a process, in a namespace of its own. */
export interface Cli {
  readonly namespace: string;
  readonly api: KubernetesApi;
  /** Options that name a cluster of the namespace. */
  on(clusterId: string): string[];
  /** And make it small, of that Flink version. */
  made(version: string, clusterId: string): string[];
  start(argv: readonly string[]): Running;
  run(...argv: string[]): Promise<Result>;
  /** A program of that version's own distribution, in the cluster's network; `input` on its standard input. */
  flink(version: string, program: string, argv: readonly string[], input?: string): Promise<Result>;
  jobsOf(clusterId: string): Promise<readonly Job[]>;
  /** Waits until all tasks of the cluster's first job run: a savepoint needs them. Answers the job's id. */
  running(clusterId: string): Promise<string>;
  /** Waits until nothing with the cluster's labels is left. */
  absent(clusterId: string): Promise<void>;
  remove(): Promise<void>;
}

export function hasDistribution(version: string): boolean {
  const home = join(LAB, 'flink', version);
  if (!existsSync(home)) console.warn(`SKIPPED: no Flink ${version} in ${LAB}/flink`);
  return existsSync(home);
}

/** A jar of that version's distribution, on this machine. */
export function localJar(version: string, name: string): string {
  return join(LAB, 'flink', version, 'usrlib', name);
}

export async function openCli(name: string): Promise<Cli> {
  await buildCli();
  const api = createKubernetesApi(await kubeconfigConnection({ files: kubeconfigFiles(process.env) }));
  const namespace = `${name}-${randomBytes(3).toString('hex')}`;
  await makeNamespace(api, namespace);
  const on = (clusterId: string) => [`-Dkubernetes.namespace=${namespace}`, `-Dkubernetes.cluster-id=${clusterId}`];
  const run = (...argv: string[]) => startProcess(process.execPath, [bundle, ...argv]).done;
  const jobsOf = async (clusterId: string) => {
    const { out } = await run('list', '-a', '--json', ...on(clusterId));
    const clusters = (out === '' ? [] : JSON.parse(out)) as { jobs?: Job[] }[];
    return clusters[0]?.jobs ?? [];
  };
  return {
    ...{ namespace, api, on, run, jobsOf },
    made: (version, clusterId) => [
      ...on(clusterId),
      `-Dkubernetes.container.image.ref=localhost/flink:${version}`,
      ...SMALL,
    ],
    start: (argv) => startProcess(process.execPath, [bundle, ...argv]),
    flink: (version, program, argv, input) => runFlink(version, program, argv, input),
    running: (clusterId) => allTasksRun(() => jobsOf(clusterId)),
    absent: (clusterId) => absent(api, namespace, clusterId),
    async remove() {
      await api.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
    },
  };
}

/** Waits until all tasks of the first job run. Answers the job's id. */
export async function allTasksRun(jobs: () => Promise<readonly Job[]>): Promise<string> {
  return vi.waitFor(
    async () => {
      const [job] = await jobs();
      expect(job?.state).toBe('RUNNING');
      expect(job?.tasks['RUNNING']).toBe(job?.tasks['TOTAL']);
      return job?.id ?? '';
    },
    { timeout: 120_000, interval: 500 },
  );
}

export function startProcess(
  program: string,
  argv: readonly string[],
  { env = {}, input }: { readonly env?: Record<string, string>; readonly input?: string } = {},
): Running {
  const child = spawn(program, argv, { env: { ...process.env, NO_COLOR: '1', ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  if (input !== undefined) child.stdin.end(input);
  return {
    child,
    err: () => err,
    done: new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, out, err }))),
  };
}

async function runFlink(version: string, program: string, argv: readonly string[], input = ''): Promise<Result> {
  const home = join(LAB, 'flink', version);
  const env = clientVariables(version);
  return startProcess(ENTER, [join(home, 'bin', program), ...argv], { env, input }).done;
}

/** A namespace in which Flink's default service account may do what Flink needs. */
export async function makeNamespace(api: KubernetesApi, name: string): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await api.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'flink' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: name }],
  };
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}/rolebindings`;
  expect((await api.request({ method: 'POST', path, body: binding })).status).toBe(201);
}

const KINDS = ['apis/apps/v1', 'api/v1'] as const;
const RESOURCES = { 'apis/apps/v1': ['deployments'], 'api/v1': ['pods', 'services', 'configmaps'] } as const;

async function absent(api: KubernetesApi, namespace: string, clusterId: string): Promise<void> {
  const left = async () => {
    const lists = KINDS.flatMap((group) =>
      RESOURCES[group].map(async (resource) => {
        const query = { labelSelector: `app=${clusterId}` };
        const { body } = await api.request({
          method: 'GET',
          path: `/${group}/namespaces/${namespace}/${resource}`,
          query,
        });
        return (body as { items: { metadata: { name: string } }[] }).items.map(
          ({ metadata }) => `${resource}/${metadata.name}`,
        );
      }),
    );
    return (await Promise.all(lists)).flat();
  };
  await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 90_000, interval: 250 });
}
