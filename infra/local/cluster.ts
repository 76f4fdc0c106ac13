import { existsSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';
import { defined } from '../../lib/core/defined.ts';
import type { ClusterId } from '../../lib/core/ids.ts';
import { archivedJava } from './flink/class-archive.ts';
import { ensureFlink, type FlinkDistribution } from './flink/distribution.ts';
import { buildExampleJobs, type ExampleJobs } from './flink/example-jobs.ts';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import type { Progress } from './progress.ts';

/** A cluster of the caller's. */
export interface ClusterChoice {
  /** Default: the file that kubectl would read. */
  readonly kubeconfig?: string;
  /** Default: the current one. */
  readonly context?: string;
  /** Default: the context's own. */
  readonly namespace?: string;
  readonly image?: string;
  readonly serviceAccount?: string;
}

/** Kubernetes as the deployment is told of it. */
export interface LocalCluster {
  /** A file. */
  readonly kubeconfig: string;
  readonly context: string;
  readonly namespace: string;
  readonly image: string;
  readonly flinkVersion: string;
  readonly serviceAccount?: string;
  /** Jars of this machine that run on it. */
  readonly examples: ExampleJobs;
  /** True when pods are processes of this machine, which `remains` then looks for as well. */
  readonly podsAreProcesses: boolean;
  /** What is left of these clusters: `Kind/name`, `process <pid>`. */
  remains(clusterIds: readonly ClusterId[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Gets the files of pods that are processes. */
  readonly folder: string;
  readonly progress: Progress;
}

/** The caller's cluster, or one whose pods are processes of this machine. */
export async function openCluster(choice: ClusterChoice | undefined, options: ClusterOptions): Promise<LocalCluster> {
  const { progress } = options;
  const flink = await progress.stage('Getting Flink', (detail) => ensureFlink({ log: detail }));
  const examples = await progress.stage('Building the example jobs', () => buildExampleJobs(flink));
  if (choice === undefined) return { ...(await startEmbedded(options, flink, examples)), examples };
  const cluster = await useCluster({ image: imageOf(flink), ...choice }, flink);
  return { ...cluster, examples, stop: () => Promise.resolve() };
}

type Embedded = Omit<LocalCluster, 'examples'>;

async function startEmbedded(
  { folder, progress }: ClusterOptions,
  flink: FlinkDistribution,
  examples: ExampleJobs,
): Promise<Embedded> {
  const dataDir = join(folder, 'kubernetes');
  const image = imageOf(flink);
  const javaHome = await archivedJava(flink);
  const server = await progress.stage('Starting a Kubernetes for development: its pods are processes', () =>
    startKubernetes({
      dataDir,
      images: { [image]: { ...flink, ...defined({ javaHome }), files: exampleFiles(flink, examples) } },
      log: () => undefined,
    }),
  );
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, server.kubeconfig, { mode: 0o600 });
  const cluster = await useCluster({ kubeconfig, image }, flink);
  return {
    ...cluster,
    podsAreProcesses: true,
    async remains(clusterIds) {
      return [...(await cluster.remains(clusterIds)), ...(await processesIn(join(dataDir, 'pods')))];
    },
    stop: () => server.stop(),
  };
}

/** The example that the documents name; distributions made of Python packages lack it. */
function exampleFiles({ flinkHome }: FlinkDistribution, { wordCount }: ExampleJobs): Readonly<Record<string, string>> {
  const path = 'examples/streaming/WordCount.jar';
  return existsSync(join(flinkHome, path)) ? {} : { [`/opt/flink/${path}`]: wordCount };
}

async function useCluster(
  choice: ClusterChoice & { readonly image: string },
  flink: FlinkDistribution,
): Promise<Omit<Embedded, 'stop'>> {
  const { context, image, serviceAccount } = choice;
  const [file = ''] = choice.kubeconfig === undefined ? kubeconfigFiles(process.env) : [choice.kubeconfig];
  const kubeconfig = resolve(file);
  const connection = await kubeconfigConnection({ files: [kubeconfig], ...defined({ context }) });
  const namespace = choice.namespace ?? connection.namespace ?? 'default';
  const clusters = createClusters(createKubernetesApi(connection));
  return {
    kubeconfig,
    context: connection.context,
    namespace,
    image,
    flinkVersion: flink.version,
    podsAreProcesses: false,
    ...defined({ serviceAccount }),
    async remains(clusterIds) {
      return (await Promise.all(clusterIds.map((clusterId) => clusters.remains({ namespace, clusterId })))).flat();
    },
  };
}

function imageOf({ version }: FlinkDistribution): string {
  return `flink:${version}`;
}

/** Processes whose command line names the folder of pods' files. */
async function processesIn(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args='], { maxBuffer: 64 * 1024 * 1024 });
  const lines = stdout.split('\n').filter((line) => line.includes(`${folder}/`));
  return lines.map((line) => `process ${line.trim().split(/\s+/, 1)[0] ?? ''}`);
}
