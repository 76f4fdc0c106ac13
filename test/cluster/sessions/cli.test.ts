import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasDistribution, localJar, openCli, type Cli } from '../support/cli-process.ts';

/** Session clusters by the command line and by Flink's own: each uses what the other made. */
const KUBECONFIG = process.env['KUBECONFIG'] ?? '';
if (KUBECONFIG === '') {
  console.warn('SKIPPED: test/cluster/sessions/cli.test.ts needs KUBECONFIG; test/cluster/lab/up makes a cluster');
}
const VERSIONS = ['2.3.0', '1.20.0'].filter(hasDistribution);

let cli: Cli;
/** Counts test runs, so that one that is tried again finds no cluster of its own name. */
let round = 0;

async function untilAnswers(clusterId: string): Promise<void> {
  await vi.waitFor(async () => expect((await cli.run('list', ...cli.on(clusterId))).code).toBe(0), {
    timeout: 120_000,
    interval: 500,
  });
}

describe.skipIf(KUBECONFIG === '')('sessions on a real cluster', () => {
  beforeAll(async () => {
    cli = await openCli('session');
  });
  beforeEach(() => {
    round += 1;
  });
  afterAll(() => cli.remove());

  describe.each(VERSIONS)('Flink %s', (version) => {
    const id = (name: string) => `${name}-${round}-${version.replaceAll('.', '-')}`;
    const target = ['--target', 'kubernetes-session'];

    it('ours, of the first flags, takes jobs of flink run, shows them, and stops only when forced', async () => {
      const session = id('ours');
      const cpu = cli.made(version, session).filter((option) => option.includes('.cpu.'));
      const old = ['-nm', session, '-ns', cli.namespace, '-i', `localhost/flink:${version}`];
      const sizes = ['-jm', '1024', '-tm', '1024', '-s', '2', '-d'];
      const started = await cli.run('session', 'start', ...old, ...sizes, ...cpu);
      expect(started.out, started.err).toContain(`Session cluster ${session} created`);
      await untilAnswers(session);

      const attached = cli.start(['session', 'attach', '-nm', session, '-ns', cli.namespace]);
      const endless = localJar(version, 'TopSpeedWindowing.jar');
      const submitted = await cli.flink(version, 'flink', ['run', '-d', ...target, ...cli.on(session), endless]);
      expect(submitted.out, submitted.err).toMatch(/Job has been submitted with JobID [0-9a-f]{32}/);
      const jobId = await cli.running(session);
      await vi.waitFor(() => expect(attached.err()).toMatch(/: Flink .* 1 TaskManagers, 2 slots, 1 free, 1 running/), {
        timeout: 60_000,
        interval: 250,
      });

      const refused = await cli.run('session', 'stop', ...cli.on(session));
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(jobId)]);
      attached.child.stdin?.write('stop\n');
      await vi.waitFor(() => expect(attached.err()).toContain(`a job runs on ${session}: ${jobId}`), 30_000);
      attached.child.stdin?.write('stop --force\n');
      expect(await attached.done).toMatchObject({ code: 0, out: `Session cluster ${session} stopped\n` });
      await cli.absent(session);
    });

    it('takes a job of ours and our stop when kubernetes-session.sh made it', async () => {
      const session = id('theirs');
      const made = await cli.flink(version, 'kubernetes-session.sh', cli.made(version, session));
      expect(made.out + made.err).toContain(`Create flink session cluster ${session} successfully`);
      const listed = await cli.run('session', 'list', '-ns', cli.namespace);
      expect(listed.out).toMatch(new RegExp(`^${session} `, 'm'));
      await untilAnswers(session);

      const ran = await cli.run('run', ...target, ...cli.on(session), localJar(version, 'WordCount.jar'));
      expect([ran.code, ran.out], ran.err).toEqual([0, expect.stringMatching(/^Job [0-9a-f]{32} WordCount FINISHED/)]);

      const again = cli.start(['session', 'start', ...cli.made(version, session), '-Dexecution.attached=true']);
      again.child.stdin?.end('stop\n');
      expect(await again.done).toMatchObject({ code: 0, out: `Session cluster ${session} stopped\n` });
      await cli.absent(session);
    });
  });

  it('keeps a cluster after its job, as the first client could', async () => {
    const kept = `kept-${round}`;
    const keep = '-Dkubernetes.destroy-perjob-cluster.after-job-finished=false';
    const jar = 'local:///opt/flink/usrlib/WordCount.jar';
    const old = ['-m', 'kubernetes-cluster', '-knm', kept, '-kns', cli.namespace, '-ki', 'localhost/flink:2.3.0'];
    const ran = await cli.run('run', ...old, ...cli.made('2.3.0', kept).slice(3), keep, jar);
    expect([ran.code, ran.out], ran.err).toEqual([0, expect.stringMatching(/WordCount FINISHED/)]);
    expect(await cli.jobsOf(kept)).toMatchObject([{ state: 'FINISHED' }]);
    expect((await cli.run('logs', ...cli.on(kept))).out).toMatch(/switched from state RUNNING to FINISHED/);
    expect((await cli.run('session', 'stop', ...cli.on(kept))).code).toBe(0);
    await cli.absent(kept);
  });
});
