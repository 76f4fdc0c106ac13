import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKubernetesApi } from '../../lib/cluster/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/cluster/kubeconfig.ts';
import type { KubernetesApi } from '../../lib/cluster/api.ts';
import { buildCli, bundle } from '../../infra/build-cli.mjs';

/**
 * The command line as a process, on a real cluster with real Flink images, and where the lab has them beside the real
 * client: each must be able to use what the other made.
 */
const KUBECONFIG = process.env['KUBECONFIG'] ?? '';
if (KUBECONFIG === '')
  console.warn('SKIPPED: test/cluster/cli.test.ts needs KUBECONFIG; test/cluster/lab/up makes a cluster');

const LAB =
  process.env['FLINK_DISPATCH_LAB'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flink-dispatch/lab');
const ENTER = fileURLToPath(new URL('lab/enter', import.meta.url));
const NAMESPACE = `cli-${randomBytes(3).toString('hex')}`;
const WORD_COUNT = 'local:///opt/flink/usrlib/WordCount.jar';
const ENDLESS = 'local:///opt/flink/usrlib/TopSpeedWindowing.jar';
/** A JVM that may use no more than a fifth of a core takes minutes to start: little is asked for, much allowed. */
const SMALL = [
  '-Djobmanager.memory.process.size=1g',
  '-Dtaskmanager.memory.process.size=1g',
  '-Dkubernetes.jobmanager.cpu.amount=0.1',
  '-Dkubernetes.jobmanager.cpu.limit-factor=20',
  '-Dkubernetes.taskmanager.cpu.amount=0.1',
  '-Dkubernetes.taskmanager.cpu.limit-factor=20',
];

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function start(
  argv: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; done: Promise<Result> } {
  const child = spawn(process.execPath, [bundle, ...argv], { env: { ...process.env, NO_COLOR: '1', ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return {
    child,
    done: new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, out, err }))),
  };
}

const cli = (...argv: string[]) => start(argv).done;
const on = (clusterId: string) => [`-Dkubernetes.namespace=${NAMESPACE}`, `-Dkubernetes.cluster-id=${clusterId}`];

function made(version: string, clusterId: string): string[] {
  return [...on(clusterId), `-Dkubernetes.container.image.ref=localhost/flink:${version}`, ...SMALL];
}

interface Job {
  readonly id: string;
  readonly state: string;
  readonly tasks: Readonly<Record<string, number>>;
}

async function jobsOf(clusterId: string): Promise<readonly Job[]> {
  const { out } = await cli('list', '-a', '--json', ...on(clusterId));
  const clusters = (out === '' ? [] : JSON.parse(out)) as { jobs?: Job[] }[];
  return clusters[0]?.jobs ?? [];
}

/** A savepoint needs all tasks; the job is RUNNING before they are. */
async function running(clusterId: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const [job] = await jobsOf(clusterId);
      expect(job?.state).toBe('RUNNING');
      expect(job?.tasks['RUNNING']).toBe(job?.tasks['TOTAL']);
      return job?.id ?? '';
    },
    { timeout: 120_000, interval: 2_000 },
  );
}

let api: KubernetesApi;
/** Counts test runs, so that one that is tried again finds no cluster of its own name. */
let round = 0;

async function absent(clusterId: string): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${clusterId}`;
  await vi.waitFor(async () => expect((await api.request({ method: 'GET', path })).status).toBe(404), {
    timeout: 60_000,
  });
}

describe.skipIf(KUBECONFIG === '')('the command line on a real cluster', () => {
  beforeEach(() => {
    round += 1;
  });
  beforeAll(async () => {
    await buildCli();
    api = createKubernetesApi(await kubeconfigConnection({ files: kubeconfigFiles(process.env) }));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await api.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'flink' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: NAMESPACE }],
    };
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`;
    expect((await api.request({ method: 'POST', path, body: binding })).status).toBe(201);
  });

  afterAll(async () => {
    await api.request({ method: 'DELETE', path: `/api/v1/namespaces/${NAMESPACE}` });
  });

  describe.each(['2.3.0', '1.20.0'])('Flink %s', (version) => {
    const id = (name: string) => `${name}-${round}-${version.replaceAll('.', '-')}`;

    it('runs a job to its end', async () => {
      const { code, out, err } = await cli('run', ...made(version, id('ok')), WORD_COUNT);
      expect(out, err).toMatch(/^Job [0-9a-f]{32} WordCount FINISHED after /);
      expect(code).toBe(0);
      expect(err).toMatch(/application cluster ok-.* created in namespace/);
      await absent(id('ok'));
    });

    it('gives the root exception of a job that fails, and 1', async () => {
      const { code, out, err } = await cli(
        'run',
        '--json',
        ...made(version, id('fail')),
        WORD_COUNT,
        '--input',
        '/no/such/file',
      );
      expect(code, err).toBe(1);
      const message = expect.stringMatching(
        /^java\.io\.FileNotFoundException: File \/no\/such\/file does not exist/,
      ) as string;
      expect(JSON.parse(out)).toMatchObject({
        state: 'FAILED',
        reason: 'JobFailed',
        message,
        jobs: [{ state: 'FAILED' }],
      });
      await absent(id('fail'));
    });

    it('ends at a class that is not in the jar, and removes what would crash for ever', async () => {
      const { code, out } = await cli('run', ...made(version, id('main')), '-c', 'no.such.Main', WORD_COUNT);
      expect([code, out]).toEqual([1, expect.stringMatching(/MainClassMissing.*no\.such\.Main/s)]);
      await absent(id('main'));
    });
  });

  it('creates nothing when there is such a cluster, and a detached run returns at once', async () => {
    const twice = `twice-${round}`;
    expect(await cli('run', '-d', ...made('2.3.0', twice), ENDLESS)).toMatchObject({
      code: 0,
      out: expect.stringContaining(twice) as string,
    });
    const again = await cli('run', '-d', ...made('2.3.0', twice), ENDLESS);
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.err).toMatch(/ClusterNameTaken: the Flink cluster 'twice-.*' already exists in namespace/);

    const jobId = await running(twice);
    const savepoint = await cli('savepoint', ...on(twice), jobId, 'file:///tmp/savepoints');
    expect(savepoint).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Path: file:\/tmp\/savepoints\/savepoint-/) as string,
    });
    expect(
      (await cli('logs', twice, '--tail', '5', `-Dkubernetes.namespace=${NAMESPACE}`)).out.split('\n'),
    ).toHaveLength(6);

    const ui = start(['ui', twice, `-Dkubernetes.namespace=${NAMESPACE}`]);
    const url = await vi.waitFor(
      () =>
        new Promise<string>((resolve) =>
          ui.child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
        ),
    );
    expect(await (await fetch(`${url}jobs`)).json()).toMatchObject({ jobs: [{ id: jobId, status: 'RUNNING' }] });
    expect(await (await fetch(url)).text()).toContain('<title>Apache Flink Web Dashboard</title>');
    ui.child.kill('SIGINT');
    expect((await ui.done).code).toBe(0);

    const stopped = await cli('stop', '-p', 'file:///tmp/savepoints', ...on(twice), jobId);
    expect(stopped).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Savepoint completed\. Path: file:/) as string,
    });
    await absent(twice);
  });

  it('starts and stops a session cluster', async () => {
    const session = `session-${round}`;
    expect((await cli('session', 'start', ...made('2.3.0', session))).code).toBe(0);
    await vi.waitFor(async () => expect((await cli('list', ...on(session))).code).toBe(0), {
      timeout: 60_000,
      interval: 500,
    });
    const listed = await cli('session', 'list', '--json', `-Dkubernetes.namespace=${NAMESPACE}`);
    expect(JSON.parse(listed.out)).toContainEqual(
      expect.objectContaining({ clusterId: session, mode: 'session', ready: true }),
    );
    expect(await cli('session', 'stop', ...on(session))).toMatchObject({
      code: 0,
      out: `Session cluster ${session} stopped\n`,
    });
    await absent(session);
  });

  describe.each(['2.3.0', '1.20.0'])("beside Flink %s's own client", (version) => {
    const home = join(LAB, 'flink', version);
    const id = (name: string) => `${name}-${round}-${version.replaceAll('.', '-')}`;
    const flink = (...argv: string[]) => {
      const env = { ...process.env, FLINK_CONF_DIR: join(home, 'conf') };
      const { stdout, stderr } = spawnSync(ENTER, [join(home, 'bin/flink'), ...argv], { env, encoding: 'utf8' });
      return stdout + stderr;
    };
    const target = ['-t', 'kubernetes-application'];
    if (!existsSync(home)) console.warn(`SKIPPED: no Flink ${version} in ${LAB}/flink`);

    it.skipIf(!existsSync(home))('it lists and cancels what we made', async () => {
      await cli('run', '-d', ...made(version, id('ours')), ENDLESS);
      const jobId = await running(id('ours'));
      expect(flink('list', ...target, ...on(id('ours')))).toContain(`${jobId} : CarTopSpeedWindowingExample (RUNNING)`);
      expect(flink('cancel', ...target, ...on(id('ours')), jobId)).toContain(`Cancelling job ${jobId}`);
      await absent(id('ours'));
    });

    it.skipIf(!existsSync(home))('we list and cancel what it made', async () => {
      flink(version.startsWith('1.') ? 'run-application' : 'run', ...target, ...made(version, id('theirs')), ENDLESS);
      const jobId = await running(id('theirs'));
      const listed = await cli('list', `-Dkubernetes.namespace=${NAMESPACE}`);
      expect(listed.out).toMatch(
        new RegExp(`^${id('theirs')} +application +${jobId} +RUNNING +.*CarTopSpeedWindowingExample$`, 'm'),
      );
      expect(await cli('cancel', `-Dkubernetes.namespace=${NAMESPACE}`, jobId)).toMatchObject({
        code: 0,
        out: `Cancelled job ${jobId}\n`,
      });
      await absent(id('theirs'));
    });
  });
});
