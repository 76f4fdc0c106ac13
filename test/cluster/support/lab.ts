import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';

const run = promisify(execFile);

/** Where the project's own Kubernetes keeps what it built (test/cluster/lab/env.sh). */
export const LAB =
  process.env['FLINK_DISPATCH_LAB'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flink-dispatch', 'lab');

/** The Flink versions whose distribution, and so whose image, the lab has. */
export const FLINK_VERSIONS = ['2.3.0', '1.20.0'].filter((version) => existsSync(join(LAB, 'flink', version)));

/**
 * Asked once for each of the tests that are made for every version: whether this one runs for this version. What does
 * not depend on Flink's version runs on one of them, by turns; on each with EVERY_VERSION=1.
 */
export function turnsOf(version: string): () => boolean {
  const versions = process.env['EVERY_VERSION'] === '1' ? [version] : FLINK_VERSIONS;
  let turn = 0;
  return () => versions[turn++ % versions.length] === version;
}

export function imageOf(version: string): string {
  return `localhost/flink:${version}`;
}

export interface Submission {
  readonly version: string;
  readonly clusterId: string;
  readonly namespace: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly jar?: string;
  readonly entryClass?: string;
  readonly args?: readonly string[];
}

/** Options of a cluster that shares the lab's node with others, and stays when its application has ended. */
export function smallCluster(version: string): Readonly<Record<string, string>> {
  return {
    'kubernetes.service-account': 'flink',
    'kubernetes.container.image.ref': imageOf(version),
    'kubernetes.jobmanager.cpu.amount': '0.1',
    'kubernetes.jobmanager.cpu.limit-factor': '20',
    'kubernetes.taskmanager.cpu.amount': '0.1',
    'kubernetes.taskmanager.cpu.limit-factor': '20',
    'jobmanager.memory.process.size': '900m',
    'taskmanager.memory.process.size': '1000m',
    'execution.shutdown-on-application-finish': 'false',
  };
}

/** An application cluster made by Flink's own client: what a failure looks like whoever made the cluster. */
export async function runFlink(submission: Submission): Promise<void> {
  const { version, clusterId, namespace, args = [] } = submission;
  const action = version.startsWith('1.') ? 'run-application' : 'run';
  const options = {
    'kubernetes.cluster-id': clusterId,
    'kubernetes.namespace': namespace,
    ...smallCluster(version),
    ...submission.options,
  };
  await run(
    join(LAB, 'flink', version, 'bin', 'flink'),
    [
      action,
      ...['--target', 'kubernetes-application'],
      ...Object.entries(options).map(([key, value]) => `-D${key}=${value}`),
      ...(submission.entryClass === undefined ? [] : ['-c', submission.entryClass]),
      submission.jar ?? 'local:///opt/flink/usrlib/WordCount.jar',
      ...args,
    ],
    { env: { ...process.env, ...clientVariables(version) }, timeout: 180_000 },
  );
}

/** For Flink's own client, a JVM that lives for seconds: it begins sooner when it compiles less. */
export function clientVariables(version: string): Readonly<Record<'FLINK_CONF_DIR' | 'JVM_ARGS', string>> {
  const JVM_ARGS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto';
  return { FLINK_CONF_DIR: join(LAB, 'flink', version, 'conf'), JVM_ARGS };
}

/** Whether the cluster of KUBECONFIG is the project's own, whose programs a test may kill. */
export function isLab(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return (env['KUBECONFIG'] ?? '').startsWith(join(LAB, 'kubeconfig'));
}

/** Kills the first process of a cluster's newest pod from outside, as the kernel or a node's failure would. */
export async function killPod(ref: ClusterRef, component: 'jobmanager' | 'taskmanager'): Promise<void> {
  const selector = `app=${ref.clusterId},component=${component}`;
  const path = 'jsonpath={.items[-1:].status.containerStatuses[0].containerID}';
  const sorted = '--sort-by=.metadata.creationTimestamp';
  const found = await kubectl('get', 'pods', '-n', ref.namespace, '-l', selector, sorted, '-o', path);
  await killContainer(found);
}

async function killContainer(containerId: string): Promise<void> {
  const id = containerId.replace(/^containerd:\/\//, '');
  await run('ctr', ['-a', join(LAB, 'run', 'containerd.sock'), '-n', 'k8s.io', 'task', 'kill', '-s', 'SIGKILL', id]);
}

export type LabProgram = 'etcd' | 'apiserver' | 'kubelet';

/** Ends a program of the lab with SIGKILL; the answer begins it again. */
export async function killProgram(name: LabProgram): Promise<() => Promise<void>> {
  await run('test/cluster/lab/kill', [name]);
  return async () => void (await run('test/cluster/lab/start', [name]));
}

/** For what the product has no need to do itself. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  return (await run('kubectl', [...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
}
