import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../../lib/flink/options/catalogue.ts';
import { runCli } from './run-cli.ts';

const run = (...argv: string[]) => runCli(argv);

const RUN = ['run', '--dry-run', '-Dkubernetes.cluster-id=a'];
const SESSION = ['session', 'start', '--dry-run', '-Dkubernetes.cluster-id=a'];
const JAR = 'local:///job.jar';

describe.each([
  ['run', RUN, [JAR]],
  ['session start', SESSION, []],
])('%s', (_name, command, jar) => {
  it('refuses a misspelt key in one line that names the right one', async () => {
    const { code, out, err } = await run(...command, '-Dkubernetes.jobmanger.cpu.amount=2', ...jar);
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(
      "InvalidConfiguration: kubernetes.jobmanger.cpu.amount '2' is not known: did you mean kubernetes.jobmanager.cpu.amount? Correct the named Flink option.\n",
    );
  });

  it('refuses it without a dry run too, before it looks for a cluster', async () => {
    const argv = [...command, '-Dkubernetes.namepsace=x', ...jar].filter((arg) => arg !== '--dry-run');
    const { code, err } = await run(...argv);
    expect(code).toBe(1);
    expect(err).toContain('did you mean kubernetes.namespace?');
  });

  it('warns of what has no effect, and goes on', async () => {
    const given = ['-Dkubernetes.something.else=1', '-Dkubernetes.jobmanager.cpu=2'];
    const { code, out, err } = await run(...command, ...given, ...jar);
    expect(code).toBe(0);
    expect(out).toContain('kind: Deployment');
    expect(err.split('\n')).toEqual([
      "warning: kubernetes.something.else '1' is no option of Flink, and has no effect",
      'warning: kubernetes.jobmanager.cpu is deprecated: use kubernetes.jobmanager.cpu.amount',
      '',
    ]);
  });

  it("says nothing about the operator's keys", async () => {
    expect(await run(...command, '-Dkubernetes.operator.reconcile.interval=1m', ...jar)).toMatchObject({
      code: 0,
      err: '',
    });
  });
});

describe('explain', () => {
  it('says what the option does, and what it changes', async () => {
    const { code, out } = await run('explain', 'kubernetes.jobmanager.cpu');
    expect(code).toBe(0);
    expect(out.split('\n').slice(0, 6)).toEqual([
      'kubernetes.jobmanager.cpu.amount',
      "The JobManager's CPU request.",
      'type Double, default 1.0',
      'read by whoever makes the objects of the cluster',
      'read from when it is not set: kubernetes.jobmanager.cpu',
      '',
    ]);
    expect(out).toMatch(/resources\.requests\.cpu: 1(\.0)? → 2/);
  });

  it('which versions know it', async () => {
    expect((await run('explain', 'kubernetes.persistent-volume-claims')).out).toContain('\nsince Flink 2.3\n');
    expect((await run('explain', 'jobmanager.heap.size')).out).toContain('\nup to Flink 1.20\n');
  });

  it('the sentence alone where no object changes', async () => {
    expect((await run('explain', 'kubernetes.client.user-agent')).out).toBe(
      "kubernetes.client.user-agent\nThe user agent of Flink's requests to the Kubernetes API.\ntype String, default flink\nread by whoever makes the objects of the cluster\n",
    );
  });

  it('as JSON', async () => {
    const { out } = await run('explain', '--json', 'kubernetes.rest-service.labels=a:b');
    expect(JSON.parse(out)).toMatchObject({
      key: 'kubernetes.rest-service.labels',
      value: 'a:b',
      option: 'kubernetes.rest-service.labels',
      effect: 'Labels of the REST Service, over the common ones.',
      type: 'Map',
      since: '2.2',
      olderNames: [],
      changes: expect.arrayContaining([
        { object: 'Service/example-rest', path: 'metadata.labels.a', after: 'b' },
      ]) as unknown,
    });
  });

  it.each(CATALOGUE.map(({ key, effect }) => [key, effect]))('%s', async (key, effect) => {
    const { code, out, err } = await run('explain', key);
    expect([code, err]).toEqual([0, '']);
    expect(out.startsWith(`${key}\n${effect}\n`)).toBe(true);
  });

  it('an option that decides about the objects changes some', async () => {
    const silent: string[] = [];
    for (const { key } of CATALOGUE.filter(({ subject }) => subject === 'objects')) {
      // parts of the process' memory, whose size the conf folder sets
      if (/^jobmanager\.memory\.(?!process)/.test(key)) continue;
      if (!(await run('explain', key)).out.includes(' changes\n')) silent.push(key);
    }
    expect(silent).toEqual([
      // their files are not there
      'kubernetes.pod-template-file.default',
      'kubernetes.pod-template-file.jobmanager',
      'kubernetes.pod-template-file.taskmanager',
      // not in Flink 2.3
      'jobmanager.heap.size',
      'jobmanager.heap.mb',
      // always set by the client
      'jobmanager.rpc.address',
      'execution.target',
    ]);
  });

  it('a value of the person who asks is not forgiven', async () => {
    const { code, err } = await run('explain', 'kubernetes.jobmanager.cpu.amount=many');
    expect(code).toBe(1);
    expect(err).toContain("kubernetes.jobmanager.cpu.amount 'many'");
  });

  it('what it does not know', async () => {
    expect((await run('explain', 'kubernetes.jobmanger.cpu')).err).toContain('did you mean kubernetes.jobmanager.cpu?');
    expect((await run('explain', 'my.own=3')).out).toContain('changes no object');
    expect((await run('explain', 'my.own=3')).out).toContain('Flink has no option of that name');
    expect(await run('explain', 'my.own')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no option my.own') as string,
    });
  });

  it.each([
    ['execution.checkpointing.interval', 'type Duration, no default\ntakes effect in the job'],
    ['state.checkpoints.dir', 'execution.checkpointing.dir\n'],
    ['state.checkpoints.dir', 'read from when it is not set: state.checkpoints.dir'],
    ['execution.checkpointing.mode', 'type Enum (EXACTLY_ONCE, AT_LEAST_ONCE), default EXACTLY_ONCE'],
    ['table.exec.mini-batch.enabled', 'type Boolean, default false\ntakes effect when the job plans its tables'],
    ['metrics.reporter.prom.factory.class', 'takes effect in the JobManager and the TaskManagers'],
    ['jobmanager.scheduler', 'takes effect in the JobManager'],
    ['taskmanager.network.retries', 'takes effect in the TaskManagers'],
    ['execution.savepoint-restore-mode', 'up to Flink 1.20'],
  ])('%s as Flink documents it', async (key, words) => {
    const { code, out } = await run('explain', key);
    expect(code).toBe(0);
    expect(out).toContain(words);
  });

  it('an option of Flink that is misspelt', async () => {
    expect((await run('explain', 'execution.checkpoint.interval')).err).toContain(
      'did you mean execution.checkpointing.interval?',
    );
  });
});

describe('explain, of a reason', () => {
  it('says who has to act, whether it is tried again, and what to do', async () => {
    expect(await run('explain', 'ImageNotFound')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ImageNotFound\nuser: .*never tried again.*\nto do: Correct image/) as string,
    });
  });

  it('gives the same to programs', async () => {
    const { out } = await run('explain', 'QuotaExceeded', '--json');
    expect(JSON.parse(out)).toMatchObject({ reason: 'QuotaExceeded', reasonClass: 'capacity' });
  });

  it('names the nearest one', async () => {
    const { code, err } = await run('explain', 'ImageNotFund');
    expect(code).toBe(2);
    expect(err).toContain('did you mean ImageNotFound?');
  });
});
