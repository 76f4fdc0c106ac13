import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployment, fakeKubernetes, recorded, type Answer } from './fake-kubernetes.ts';
import { runCli } from './run-cli.ts';

const ID = '58db0b6fdde4c1308b223485320afcaf';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const REST = (name: string) => `/api/v1/namespaces/default/services/${name}-rest:rest/proxy`;
const ok = (body: unknown): Answer => ({ status: 200, body });

/** One application whose job runs, and one session without jobs. */
const answers: Record<string, Answer | (() => Answer)> = {
  [`GET ${DEPLOYMENTS}`]: ok({
    items: [deployment('app', 'default', 'application'), deployment('sess', 'default', 'session')],
  }),
  [`GET ${DEPLOYMENTS}/app`]: ok(deployment('app', 'default', 'application')),
  [`GET ${REST('app')}/overview`]: ok(recorded('2.3.0', 'running', 'overview')),
  [`GET ${REST('app')}/jobs/overview`]: ok(recorded('2.3.0', 'running', 'jobs_overview')),
  [`GET ${REST('app')}/applications/overview`]: ok(recorded('2.3.0', 'running', 'applications_overview')),
  [`PATCH ${REST('app')}/jobs/${ID}`]: { status: 202, body: {} },
  [`POST ${REST('app')}/jobs/${ID}/savepoints`]: { status: 202, body: { 'request-id': 't' } },
  [`GET ${REST('app')}/jobs/${ID}/savepoints/t`]: ok({
    status: { id: 'COMPLETED' },
    operation: { location: 's3://sp/1' },
  }),
  [`GET ${REST('sess')}/overview`]: {
    status: 503,
    body: { kind: 'Status', code: 503, message: 'no endpoints available' },
  },
};

let kubernetes: Awaited<ReturnType<typeof fakeKubernetes>>;
const changed: Record<string, Answer | (() => Answer)> = {};

beforeEach(async () => {
  for (const key of Object.keys(changed)) delete changed[key];
  kubernetes = await fakeKubernetes(new Proxy(answers, { get: (all, key: string) => changed[key] ?? all[key] }));
});
afterEach(() => kubernetes.close());

const run = (...argv: string[]) => runCli(argv, { env: kubernetes.env });

describe('list', () => {
  it('shows every native cluster, and which of them do not answer', async () => {
    const { code, out, err } = await run('list');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['CLUSTER', 'MODE', 'JOB', 'STATE', 'DURATION', 'NAME'],
      ['app', 'application', ID, 'RUNNING', expect.stringMatching(/^\d/), 'CarTopSpeedWindowingExample'],
      ['sess', 'session', '-', 'no answer'],
      [''],
    ]);
    expect(err).toMatch(/^sess: .*no endpoints available/);
    expect(kubernetes.requests[0]).toContain('labelSelector=type=flink-native-kubernetes,component=jobmanager');
  });

  it.each([
    [
      'names a cluster that was held, and that nobody let go after its end',
      'true',
      120,
      'finished',
      /^app: its jobs ended 2 min ago.*: session stop app$/m,
    ],
    ['leaves one alone that somebody reads', 'true', 5, 'finished', /^(?!app)/],
    ['leaves one alone whose main() goes on', 'true', 120, 'running', /^(?!app)/],
    ['leaves one alone that is kept', 'false', 120, 'finished', /^(?!app)/],
  ])('%s', async (_name, held, age, application, noted) => {
    const { metadata, ...rest } = deployment('app', 'default', 'application');
    const kept = { ...rest, metadata: { ...metadata, annotations: { 'flink-dispatch.io/held': held } } };
    changed[`GET ${DEPLOYMENTS}`] = ok({ items: [kept] });
    const { jobs } = recorded('2.3.0', 'finished', 'jobs_overview') as { readonly jobs: readonly object[] };
    const ended = jobs.map((job) => ({ ...job, 'end-time': 1_000_000 - age * 1000 }));
    changed[`GET ${REST('app')}/jobs/overview`] = ok({ jobs: ended });
    changed[`GET ${REST('app')}/applications/overview`] = ok(recorded('2.3.0', application, 'applications_overview'));
    const { code, err } = await run('list');
    expect(code).toBe(0);
    expect(err).toMatch(noted);
  });

  it('as JSON', async () => {
    const { out } = await run('list', '--json', '-t', 'kubernetes-application');
    expect(JSON.parse(out)).toMatchObject([
      { clusterId: 'app', mode: 'application', jobs: [{ id: ID, state: 'RUNNING' }] },
    ]);
  });

  it('only what waits', async () => {
    const { out } = await run('list', '-s', '-Dkubernetes.cluster-id=app');
    expect(out).not.toContain(ID);
  });

  it('says which clusters there are when the named one is not', async () => {
    const { code, err } = await run('list', '-Dkubernetes.cluster-id=other');
    expect(code).toBe(2);
    expect(err).toContain("there is no cluster 'other' in namespace default; there are: app, sess");
  });
});

describe('cancel', () => {
  const canceled = {
    jobs: [{ ...(recorded('2.3.0', 'running', 'jobs_overview') as { jobs: object[] }).jobs[0], state: 'CANCELED' }],
  };

  it('finds the cluster by the job, and waits for the end', async () => {
    let looks = 0;
    const overview = answers[`GET ${REST('app')}/jobs/overview`] as Answer;
    changed[`GET ${REST('app')}/jobs/overview`] = () => ((looks += 1) > 3 ? ok(canceled) : overview);
    expect(await run('cancel', ID)).toMatchObject({ code: 0, out: `Cancelled job ${ID}\n` });
    expect(kubernetes.requests).toContain(`PATCH ${REST('app')}/jobs/${ID}?mode=cancel`);
  });

  it('takes a cluster that is gone as the end', async () => {
    const gone = () => kubernetes.requests.some((request) => request.startsWith('PATCH'));
    const silent: Answer = { status: 503, body: { kind: 'Status', code: 503, message: 'gone' } };
    for (const [key, after] of [
      [`GET ${DEPLOYMENTS}/app`, { status: 404, body: {} }],
      [`GET ${REST('app')}/jobs/overview`, silent],
    ] as const) {
      changed[key] = () => (gone() ? after : (answers[key] as Answer));
    }
    expect(await run('cancel', '-Dkubernetes.cluster-id=app', '--json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('"CANCELED"') as string,
    });
  });

  it.each([
    [['cancel', 'nonsense'], 2, /'nonsense' is no job id/],
    [['cancel', 'f'.repeat(32)], 2, /no cluster of namespace default has job f+; there are: app, sess/],
    [['cancel', '-Dkubernetes.cluster-id=app', 'f'.repeat(32)], 1, /nothing at/],
  ])('%j', async (argv, code, message) => {
    const result = await run(...argv);
    expect(result.code).toBe(code);
    expect(result.err).toMatch(message);
  });
});

it('takes a savepoint of the only job', async () => {
  expect(await run('savepoint', '-Dkubernetes.cluster-id=app')).toMatchObject({
    code: 0,
    out: 'Savepoint completed. Path: s3://sp/1\n',
  });
});

it('asks which cluster is meant', async () => {
  expect(await run('ui')).toMatchObject({
    code: 2,
    err: expect.stringContaining('which cluster of namespace default?') as string,
  });
});

it('lists sessions only', async () => {
  const { out } = await run('session', 'list');
  expect(out).toMatch(/^sess +ready +2026-11-21T05:00:00\.000Z +flink:2\.3\.0$/m);
  expect(out).not.toContain('app');
});

describe('logs', () => {
  const POD = '/api/v1/namespaces/default/pods';
  const pod = (name: string, component: string, creationTimestamp: string) => ({
    metadata: { name, creationTimestamp, labels: { component } },
    spec: { containers: [{ name: 'sidecar' }, { name: 'flink-main-container' }] },
  });
  beforeEach(() => {
    const items = [
      pod('app-old', 'jobmanager', '1'),
      pod('app-new', 'jobmanager', '2'),
      pod('tm-1', 'taskmanager', '3'),
      pod('tm-2', 'taskmanager', '4'),
    ];
    changed[`GET ${POD}`] = ok({ items });
    for (const name of ['app-new', 'tm-1', 'tm-2']) changed[`GET ${POD}/${name}/log`] = ok(`hello of ${name}\n`);
  });

  it('of the newest JobManager', async () => {
    expect(await run('logs', 'app', '--tail', '7')).toMatchObject({ code: 0, out: 'hello of app-new\n' });
    expect(kubernetes.requests.at(-1)).toContain('tailLines=7&container=flink-main-container');
  });

  it('of all TaskManagers, each line with its pod', async () => {
    const { out } = await run('logs', 'app', '--taskmanagers');
    expect(out.split('\n').sort()).toEqual(['', '[tm-1] hello of tm-1', '[tm-2] hello of tm-2']);
  });

  it('there is none before the restart', async () => {
    changed[`GET ${POD}/app-new/log`] = {
      status: 400,
      body: { kind: 'Status', message: 'previous terminated container not found' },
    };
    expect(await run('logs', 'app', '--previous')).toMatchObject({
      code: 2,
      err: expect.stringContaining('previous terminated container not found') as string,
    });
  });

  it('of a pod that is not there', async () => {
    expect((await run('logs', 'app', '--pod', 'x')).err).toContain(
      'has no pod x; its pods: app-old, app-new, tm-1, tm-2',
    );
  });
});
