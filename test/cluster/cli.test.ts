import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { buildCli, bundle } from '../../infra/build-cli.mjs';
import { allTasksRun, makeNamespace, SMALL, startProcess, type Job } from './support/cli-process.ts';
import { clientVariables, LAB, turnsOf } from './support/lab.ts';
import { createShapeMap, SHAPE_JAR, SHAPE_TEMPLATE_FILE } from './support/shape/shape.ts';

/**
 * The command line as a process, on a real cluster with real Flink images, and where the lab has them beside the real
 * client: each must be able to use what the other made.
 */
const KUBECONFIG = process.env['KUBECONFIG'] ?? '';
if (KUBECONFIG === '')
  console.warn('SKIPPED: test/cluster/cli.test.ts needs KUBECONFIG; test/cluster/lab/up makes a cluster');

const ENTER = fileURLToPath(new URL('lab/enter', import.meta.url));
const NAMESPACE = `cli-${randomBytes(3).toString('hex')}`;
const WORD_COUNT = 'local:///opt/flink/usrlib/WordCount.jar';
const shape = [`-Dkubernetes.pod-template-file.default=${SHAPE_TEMPLATE_FILE}`, '-c', 'Shape', SHAPE_JAR];
const ENDLESS = 'local:///opt/flink/usrlib/TopSpeedWindowing.jar';
const start = (argv: readonly string[], env: Record<string, string> = {}) =>
  startProcess(process.execPath, [bundle, ...argv], { env });
const cli = (...argv: string[]) => start(argv).done;
const on = (clusterId: string) => [`-Dkubernetes.namespace=${NAMESPACE}`, `-Dkubernetes.cluster-id=${clusterId}`];

function made(version: string, clusterId: string): string[] {
  return [...on(clusterId), `-Dkubernetes.container.image.ref=localhost/flink:${version}`, ...SMALL];
}

async function jobsOf(clusterId: string): Promise<readonly Job[]> {
  const { out } = await cli('list', '-a', '--json', ...on(clusterId));
  const clusters = (out === '' ? [] : JSON.parse(out)) as { jobs?: Job[] }[];
  return clusters[0]?.jobs ?? [];
}

/** A savepoint needs all tasks; the job is RUNNING before they are. */
const running = (clusterId: string): Promise<string> => allTasksRun(() => jobsOf(clusterId));

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
    await makeNamespace(api, NAMESPACE);
    await createShapeMap(api, NAMESPACE);
  });

  afterAll(async () => {
    await api.request({ method: 'DELETE', path: `/api/v1/namespaces/${NAMESPACE}` });
  });

  describe.each(['2.3.0', '1.20.0'])('Flink %s', (version) => {
    const isTurn = turnsOf(version);

    const id = (name: string) => `${name}-${round}-${version.replaceAll('.', '-')}`;

    it('runs short jobs to the end, and has all their accumulators', async () => {
      const { code, out, err } = await cli('run', ...made(version, id('ok')), ...shape, 'job', 'job');
      expect(out, err).toMatch(/^(Job [0-9a-f]{32} job FINISHED after .*\nAccumulators:\n {2}lines: 10\n){2}$/);
      expect(code).toBe(0);
      expect(err).toMatch(/application cluster ok-.* created in namespace/);
      await absent(id('ok'));
    });

    it.runIf(isTurn())('has them each time', async () => {
      const runs = ['one', 'two'].map((name) => cli('run', '--json', ...made(version, id(name)), ...shape, 'job'));
      for (const { code, out, err } of await Promise.all(runs)) {
        expect(code, err).toBe(0);
        const { jobs } = JSON.parse(out) as { jobs: (Job & { readonly endTime: number })[] };
        const tasks = { FINISHED: jobs[0]?.tasks['TOTAL'], RUNNING: 0 };
        expect(jobs, err).toMatchObject([{ state: 'FINISHED', tasks, accumulators: { lines: '10' } }]);
        expect(jobs[0]?.endTime).toBeGreaterThan(0);
      }
      await Promise.all(['one', 'two'].map((name) => absent(id(name))));
    });

    it.runIf(isTurn())('does not cut main() off after its job, and goes on after an interrupt', async () => {
      const running = start(['run', ...made(version, id('long')), ...shape, 'job', 'sleep5', 'throw']);
      const interrupted = start(['run', ...made(version, id('left')), ENDLESS]);
      expect(await running.done).toMatchObject({ code: 1, out: expect.stringContaining('main() threw') as string });
      await absent(id('long'));
      const jobId = await allTasksRun(() => jobsOf(id('left')));
      interrupted.child.kill('SIGINT');
      expect(await interrupted.done).toMatchObject({
        code: 130,
        err: expect.stringContaining(`session stop ${id('left')}`) as string,
      });
      expect((await cli('cancel', ...on(id('left')), jobId)).code).toBe(0);
      await absent(id('left'));
    });

    it.runIf(isTurn())('gives the root exception of a job that fails, and 1', async () => {
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

    it.runIf(isTurn())('ends at a class that is not in the jar, and removes what would crash for ever', async () => {
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
    const url = await new Promise<string>((resolve) =>
      ui.child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
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
      const options = { env: { ...process.env, ...clientVariables(version) }, encoding: 'utf8' } as const;
      const { stdout, stderr } = spawnSync(ENTER, [join(home, 'bin/flink'), ...argv], options);
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
