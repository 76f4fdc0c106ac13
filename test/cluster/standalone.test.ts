import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { localJar, openCli, type Cli } from './support/cli-process.ts';
import { Run } from './support/dispatcher.ts';
import { WORD_COUNT as DISPATCHED } from './support/jobs.ts';
import { FLINK_VERSIONS, kubectl } from './support/lab.ts';
import { openTenant } from './support/tenant.ts';

/** Clusters of plain Deployments, by the command line, on a real cluster with real Flink images. */
const KUBECONFIG = process.env['KUBECONFIG'] ?? '';
if (KUBECONFIG === '') {
  console.warn('SKIPPED: test/cluster/standalone.test.ts needs KUBECONFIG; test/cluster/lab/up makes a cluster');
}
const WORD_COUNT = 'local:///opt/flink/usrlib/WordCount.jar';

let cli: Cli;
/** Counts test runs, so that one that is tried again finds no cluster of its own name. */
let round = 0;

interface Overview {
  readonly taskmanagers: number;
  readonly 'slots-total': number;
}

/** Through the API server's proxy of the JobManager's Service, as `kubectl proxy` serves it. */
async function overview(clusterId: string): Promise<Partial<Overview>> {
  const path = `/api/v1/namespaces/${cli.namespace}/services/${clusterId}:ui/proxy/overview`;
  return (await cli.api.request({ method: 'GET', path })).body as Partial<Overview>;
}

const untilTaskManagers = (clusterId: string, count: number) =>
  vi.waitFor(async () => expect((await overview(clusterId)).taskmanagers).toBe(count), {
    timeout: 120_000,
    interval: 500,
  });

describe.skipIf(KUBECONFIG === '')('standalone clusters', () => {
  beforeAll(async () => {
    cli = await openCli('standalone');
  });
  beforeEach(() => {
    round += 1;
  });
  afterAll(() => cli.remove());

  describe.each(FLINK_VERSIONS)('Flink %s', (version) => {
    const id = (name: string) => `${name}-${round}-${version.replaceAll('.', '-')}`;

    it('a session: its parts, its UI, a job, its logs, another TaskManager, and nothing after it', async () => {
      const session = id('session');
      const up = await cli.run('standalone', 'up', '--taskmanagers', '1', ...cli.made(version, session));
      expect(up, up.err).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^Standalone session cluster/) as string,
      });
      await untilTaskManagers(session, 1);
      const listed = await cli.run('list', `-Dkubernetes.namespace=${cli.namespace}`);
      expect(listed.out).toMatch(new RegExp(`^${session} +standalone session +- +-$`, 'm'));

      const job = ['run', '-t', 'kubernetes-session', ...cli.on(session), localJar(version, 'WordCount.jar')];
      const ran = await cli.run(...job);
      expect(ran.out, ran.err).toMatch(/^Job [0-9a-f]{32} WordCount FINISHED/);

      const logs = await cli.run('logs', '--taskmanagers', ...cli.on(session));
      expect(logs.out).toMatch(/Successful registration at resource manager/);
      const scaled = await cli.run('standalone', 'scale', ...cli.on(session), '2');
      expect(scaled).toMatchObject({ code: 0, out: `Standalone cluster ${session}: 1 → 2 TaskManagers\n` });
      await untilTaskManagers(session, 2);

      const down = await cli.run('standalone', 'down', ...cli.on(session));
      expect(down).toMatchObject({ code: 0, out: `Standalone cluster ${session} removed\n` });
      await cli.absent(session);
    });

    it('an application whose JobManager is a Job, followed to its end and removed', async () => {
      const jobId = 'ab'.repeat(16);
      const up = ['standalone', 'up', '--job', '--job-id', jobId, ...cli.made(version, id('job')), WORD_COUNT];
      const { code, out, err } = await cli.run(...up);
      expect(out, err).toMatch(new RegExp(`^Job ${jobId} WordCount FINISHED after `));
      expect([code, err]).toEqual([0, expect.stringMatching(/cluster job-.* removed/)]);
      await cli.absent(id('job'));
    });
  });

  it('a dispatched run: mode standalone, announced and removed as any other', async () => {
    const tenant = await openTenant(cli.api);
    const spec = { ...DISPATCHED, mode: 'standalone', taskManager: { replicas: 1 } };
    const run = await new Run({ tenant, version: '2.3.0', spec }).start();
    try {
      const { event } = await run.completed(240);
      expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished', attempt: 1 });
      const kept = event.data.evidence?.items.map(({ name }) => name);
      expect(kept).toContainEqual(expect.stringMatching(/-taskmanager-.*\.log$/));
      await run.closed();
      const { items } = JSON.parse(await kubectl('get', 'all', '-n', tenant.namespace, '-o', 'json')) as { items: [] };
      expect(items).toEqual([]);
    } finally {
      await run.stop();
      await tenant.remove();
    }
  });

  it('an application nobody waits for goes with its Job; what it is given arrives as it was', async () => {
    const name = `ttl-${round}`;
    const program = [WORD_COUNT, '--input', '/no such/$(HOME) "file"', '-Dexecution.attached=x'];
    const up = ['standalone', 'up', '-d', '--job', '--ttl', '5', ...cli.made('2.3.0', name), ...program];
    expect((await cli.run(...up)).code).toBe(0);
    await vi.waitFor(
      async () =>
        expect((await cli.run('logs', ...cli.on(name))).out).toMatch(
          /FileNotFoundException: File \/no such\/\$\(HOME\) "file" does not exist/,
        ),
      { timeout: 120_000, interval: 500 },
    );
    await cli.absent(name);
  });

  it('an application that cannot begin is named, and does not try for ever', async () => {
    const name = `main-${round}`;
    const up = ['standalone', 'up', ...cli.made('2.3.0', name), '-c', 'no.such.Main', WORD_COUNT];
    expect(await cli.run(...up)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/MainClassMissing.*no\.such\.Main/s) as string,
    });
    await cli.absent(name);
  });
});
