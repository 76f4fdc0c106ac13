import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureArchivedJava } from '../../infra/local/flink/class-archive.ts';
import { ensureFlink, type FlinkDistribution } from '../../infra/local/flink/distribution.ts';
import { buildExampleJobs } from '../../infra/local/flink/example-jobs.ts';
import type { Image } from '../../packages/local-kubernetes/src/node/images.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { buildCluster } from '../../lib/flink/native/build-cluster.ts';
import { startKubernetes, type LocalKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import { ownerOf } from '../fakes/ids.ts';

const execute = promisify(execFile);

interface Overview {
  readonly jobs: readonly { readonly jid: string; readonly name: string; readonly state: string }[];
}

async function imageOf(flink: FlinkDistribution): Promise<Image> {
  const jobs = await buildExampleJobs(flink);
  const jars = [jobs.wordCount, jobs.orderTotals, jobs.failingJob];
  const files = Object.fromEntries(jars.map((jar) => [`/opt/flink/usrlib/${basename(jar)}`, jar]));
  return { flinkHome: flink.flinkHome, javaHome: await ensureArchivedJava(flink), files };
}

async function until<T>(what: string, ask: () => Promise<T | undefined>, limit = 90_000): Promise<T> {
  for (const end = Date.now() + limit; Date.now() < end;) {
    const found = await ask().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within ${String(limit)} ms`);
}

/** Command lines of processes whose command line has a text in it. */
async function processesWith(text: string): Promise<string[]> {
  const { stdout } = await execute('ps', ['-eo', 'pid=,args='], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').filter((line) => line.includes(text));
}

describe.each(['2.3.0', '1.20.0'])('Flink %s on the local Kubernetes', (version) => {
  let flink: FlinkDistribution;
  let kubernetes: LocalKubernetes;
  let dataDir: string;
  let kubeconfig: string;

  beforeAll(async () => {
    const log = (line: string): void => void process.stderr.write(`${line}\n`);
    flink = await ensureFlink({ version, log });
    dataDir = await mkdtemp(join(tmpdir(), 'flink-dispatch-test-'));
    kubernetes = await startKubernetes({ dataDir, images: { [`flink:${version}`]: await imageOf(flink) }, log });
    kubeconfig = join(dataDir, 'kubeconfig');
    await writeFile(kubeconfig, kubernetes.kubeconfig);
  });

  afterAll(async () => {
    await kubernetes.stop();
    expect(await readdir(dataDir)).toEqual(['kubeconfig']);
    await rm(dataDir, { recursive: true });
    expect(await processesWith(dataDir)).toEqual([]);
  });

  /** Flink's own client, as people use it. */
  async function run(clusterId: string, jar: string, ...args: string[]): Promise<void> {
    const options = {
      'kubernetes.cluster-id': clusterId,
      'kubernetes.container.image.ref': `flink:${version}`,
      'execution.shutdown-on-application-finish': 'false',
      'cluster.registration.error-delay': '500ms',
      'kubernetes.rest-service.exposed.type': 'NodePort',
    };
    const properties = Object.entries(options).map(([key, value]) => `-D${key}=${value}`);
    const action = version.startsWith('1.') ? 'run-application' : 'run';
    const program = [`local:///opt/flink/usrlib/${jar}`, ...args];
    await execute(
      join(flink.flinkHome, 'bin', 'flink'),
      [action, '--target', 'kubernetes-application', ...properties, ...program],
      {
        env: { ...process.env, KUBECONFIG: kubeconfig, JAVA_HOME: await ensureArchivedJava(flink) },
      },
    );
  }

  async function get(path: string): Promise<unknown> {
    const response = await fetch(`${kubernetes.url}${path}`);
    if (!response.ok) throw new Error(`${path}: ${String(response.status)}`);
    return response.json();
  }

  const rest = (clusterId: string, path: string): Promise<unknown> =>
    get(`/api/v1/namespaces/default/services/${clusterId}-rest:8081/proxy${path}`);

  async function names(resource: string, clusterId: string): Promise<string[]> {
    const labelSelector = encodeURIComponent(`app=${clusterId}`);
    const group = resource === 'deployments' ? '/apis/apps/v1' : '/api/v1';
    const list = (await get(`${group}/namespaces/default/${resource}?labelSelector=${labelSelector}`)) as {
      items: { metadata: { name: string } }[];
    };
    return list.items.map(({ metadata }) => metadata.name);
  }

  const jobIn = (clusterId: string, states: readonly string[]) =>
    until(`a job of ${clusterId} in ${states.join()}`, async () => {
      const { jobs } = (await rest(clusterId, '/jobs/overview')) as Overview;
      return jobs.find(({ state }) => states.includes(state));
    });

  async function removed(clusterId: string): Promise<void> {
    await fetch(`${kubernetes.url}/apis/apps/v1/namespaces/default/deployments/${clusterId}`, { method: 'DELETE' });
    await until(`the end of ${clusterId}`, async () => {
      const left = await Promise.all(
        ['deployments', 'pods', 'configmaps', 'services'].map((kind) => names(kind, clusterId)),
      );
      return left.flat().length === 0 ? true : undefined;
    });
  }

  it('runs two clusters at once to FINISHED, with TaskManagers of their own, and leaves nothing', async () => {
    await Promise.all([run('words', 'WordCount.jar'), run('orders', 'OrderTotals.jar', '2000')]);
    const [words, orders] = await Promise.all([jobIn('words', ['FINISHED']), jobIn('orders', ['FINISHED'])]);
    expect([words.name, orders.name]).toEqual(['WordCount', 'OrderTotals']);
    const pods = await names('pods', 'words');
    expect(pods).toHaveLength(2);
    expect(pods).toContain('words-taskmanager-1-1');
    const { 'user-task-accumulators': accumulators } = (await rest('orders', `/jobs/${orders.jid}/accumulators`)) as {
      'user-task-accumulators': { name: string; type: string; value: string }[];
    };
    expect(accumulators).toContainEqual({ name: 'orders', type: 'IntCounter', value: '2000' });
    const log = await fetch(`${kubernetes.url}/api/v1/namespaces/default/pods/words-taskmanager-1-1/log`);
    expect(await log.text()).toContain('(job,3)');
    await Promise.all([removed('words'), removed('orders')]);
    expect(await readdir(join(dataDir, 'pods'))).toEqual([]);
    expect(await processesWith(join(dataDir, 'pods'))).toEqual([]);
  });

  it('runs the objects of buildCluster, made and removed by the product', async () => {
    const api = createKubernetesApi(await kubeconfigConnection({ text: kubernetes.kubeconfig }));
    const clusters = createClusters(api);
    const cluster = buildCluster({
      flinkVersion: version,
      mode: 'application',
      options: {
        'kubernetes.cluster-id': 'own',
        'kubernetes.container.image.ref': `flink:${version}`,
        'execution.shutdown-on-application-finish': 'false',
        'cluster.registration.error-delay': '500ms',
      },
      program: { jars: ['local:///opt/flink/usrlib/WordCount.jar'], args: ['two words', 'and two more'] },
    });
    const began = performance.now();
    await clusters.apply(cluster, ownerOf('0'.repeat(20)));
    const took = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`;
    await until('REST', () => rest('own', '/jobs/overview'));
    const answers = took();
    await jobIn('own', ['FINISHED']);
    process.stderr.write(`Flink ${version}: REST answered after ${answers}, WordCount finished after ${took()}\n`);
    const { pods } = await clusters.observe(cluster);
    expect(pods.map(({ component, phase }) => [component, phase]).sort()).toEqual([
      ['jobmanager', 'Running'],
      ['taskmanager', 'Running'],
    ]);
    const log = await clusters.tail(cluster, 'own-taskmanager-1-1', {
      container: 'flink-main-container',
      bytes: 1_000_000,
      previous: false,
    });
    expect(log.text).toContain('(two,2)');
    await clusters.remove(cluster, { highAvailability: false });
    await until('proof of the end', async () => ((await clusters.remains(cluster)).length === 0 ? true : undefined));
    expect(await processesWith(join(dataDir, 'pods'))).toEqual([]);
  });

  it('shows why a job failed, and is seen by flink list and kubectl', async () => {
    await run('fails', 'FailingJob.jar', '5');
    // Before 2.0 a failed application takes its JobManager along, and Kubernetes starts it again.
    const { jid } = await jobIn('fails', ['FAILED', 'RUNNING', 'FAILING']);
    if (!version.startsWith('1.')) {
      await jobIn('fails', ['FAILED']);
      const exceptions = JSON.stringify(await rest('fails', `/jobs/${jid}/exceptions`));
      expect(exceptions).toContain('BrokenOrderException: order 5 has no amount');
    }
    const list = await execute(
      join(flink.flinkHome, 'bin', 'flink'),
      ['list', '--all', '--target', 'kubernetes-application', '-Dkubernetes.cluster-id=fails'],
      {
        env: { ...process.env, KUBECONFIG: kubeconfig },
      },
    );
    expect(list.stdout).toContain('FailingJob');
    const kubectl = await execute('kubectl', ['--kubeconfig', kubeconfig, 'get', 'pods']).catch((error: unknown) => {
      if ((error as { code?: string }).code === 'ENOENT') return undefined;
      throw error;
    });
    if (kubectl !== undefined) expect(kubectl.stdout).toMatch(/^fails-\S+ +1\/1 +Running/m);
    await removed('fails');
    expect(await readdir(join(dataDir, 'pods'))).toEqual([]);
    expect(await processesWith(join(dataDir, 'pods'))).toEqual([]);
  });
});

describe('the local Kubernetes as a program', () => {
  it('takes its pods along when it is killed', async () => {
    const home = await mkdtemp(join(tmpdir(), 'flink-dispatch-test-'));
    const main = join(import.meta.dirname, '../../infra/local/kubernetes.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', main], {
      env: { ...process.env, TMPDIR: home },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const kubeconfig = await until(
      'the kubeconfig',
      () => Promise.resolve(/KUBECONFIG=(.+)/.exec(output)?.[1]),
      600_000,
    );
    const url = /server: (\S+)/.exec(await readFile(kubeconfig, 'utf8'))?.[1] ?? '';
    const pod = {
      metadata: { name: 'sleeps' },
      spec: {
        containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'touch "$TMPDIR/up"; sleep 4242'] }],
      },
    };
    const headers = { 'content-type': 'application/json' };
    await fetch(`${url}/api/v1/namespaces/default/pods`, { method: 'POST', headers, body: JSON.stringify(pod) });
    await until('the process', async () => ((await processesWith('sleep 4242')).length > 0 ? true : undefined));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until('its end', async () => ((await processesWith('sleep 4242')).length === 0 ? true : undefined));
    await until('the end of its files', () =>
      Promise.resolve(existsSync(join(kubeconfig, '../pods')) ? undefined : true),
    );
    await rm(home, { recursive: true });
  });
});
