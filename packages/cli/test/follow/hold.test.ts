import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deployment, fakeKubernetes, recorded, type Answer } from '../fake-kubernetes.ts';
import { runCli } from '../run-cli.ts';

const JAR = 'local:///opt/flink/usrlib/WordCount.jar';
const ID = '538360c770592fd2a386de43886d1d5f';
const NAMESPACE = '/api/v1/namespaces/default';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const REST = `${NAMESPACE}/services/c-rest:rest/proxy`;
const ok = (body: unknown): Answer => ({ status: 200, body });
const finished = (name: string): Answer => ok(recorded('2.3.0', 'finished', name));

// these take seconds on a busy machine, once
beforeAll(async () => {
  await Promise.all([import('@kubernetes/client-node'), import('../../src/commands/run.ts')]);
}, 60_000);

/** An application of Flink 2.3 that has finished, on a cluster that is there until something removes it. */
let kubernetes: Awaited<ReturnType<typeof fakeKubernetes>>;
let gone: boolean;
const changed: Record<string, Answer | (() => Answer)> = {};

beforeEach(async () => {
  gone = false;
  for (const key of Object.keys(changed)) delete changed[key];
  const made: Answer = { status: 201, body: { metadata: { uid: 'u' } } };
  const goes = (status: number) => (): Answer => {
    gone = true;
    return { status, body: {} };
  };
  const standing = (): object => {
    const { metadata, ...rest } = deployment('c', 'default', 'application');
    return { ...rest, metadata: { ...metadata, uid: 'u', annotations: { 'flink-dispatch.io/held': 'true' } } };
  };
  const none = ok({ items: [] });
  const answers: Record<string, Answer | (() => Answer)> = {
    ...{ [`POST ${DEPLOYMENTS}`]: made, [`POST ${NAMESPACE}/services`]: made, [`POST ${NAMESPACE}/configmaps`]: made },
    [`GET ${DEPLOYMENTS}/c`]: () => (gone ? { status: 404, body: {} } : ok(standing())),
    ...{ [`GET ${DEPLOYMENTS}`]: none, [`GET /apis/apps/v1/namespaces/default/replicasets`]: none },
    ...{ [`GET ${NAMESPACE}/pods`]: none, [`GET ${NAMESPACE}/events`]: none, [`GET ${NAMESPACE}/services`]: none },
    ...{ [`GET ${NAMESPACE}/configmaps`]: none, [`GET ${NAMESPACE}/secrets`]: none },
    [`GET ${REST}/overview`]: finished('overview'),
    [`GET ${REST}/jobs/overview`]: finished('jobs_overview'),
    [`GET ${REST}/applications/overview`]: finished('applications_overview'),
    [`GET ${REST}/jobs/${ID}`]: finished('job'),
    [`GET ${REST}/jobs/${ID}/exceptions`]: finished('job_exceptions'),
    [`GET ${REST}/jobs/${ID}/accumulators`]: ok({
      'user-task-accumulators': [{ name: 'rows', type: 'LongCounter', value: '7' }],
    }),
    [`PATCH ${REST}/jobs/${ID}`]: { status: 202, body: {} },
    [`DELETE ${REST}/cluster`]: goes(202),
    [`DELETE ${DEPLOYMENTS}/c`]: goes(200),
  };
  kubernetes = await fakeKubernetes(new Proxy(answers, { get: (all, key: string) => changed[key] ?? all[key] }));
});
afterEach(() => kubernetes.close());

const run = (command: string, ...argv: string[]) =>
  runCli([command, '-Dkubernetes.cluster-id=c', ...argv], { env: kubernetes.env });
const runJob = (...argv: string[]) => run('run', '-Dkubernetes.container.image.ref=flink:2.3.0', ...argv, JAR);
const removals = () => kubernetes.requests.filter((request) => request.startsWith('DELETE'));

function madeOptions(): string {
  const maps = kubernetes.created as { kind: string; data?: Record<string, string> }[];
  return maps.find(({ data }) => data?.['config.yaml'] !== undefined)?.data?.['config.yaml'] ?? '';
}

describe('run', () => {
  it('holds the cluster until its results are read, and lets it go by its own JobManager', async () => {
    const { code, out, err } = await runJob('--json');
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ state: 'FINISHED', jobs: [{ accumulators: { rows: '7' } }] });
    expect(madeOptions()).toMatch(/shutdown-on-application-finish: ["']?false/);
    expect(kubernetes.created[0]).toMatchObject({ metadata: { annotations: { 'flink-dispatch.io/held': 'true' } } });
    expect(removals()).toEqual([`DELETE ${REST}/cluster`]);
    const [accumulators, removal] = ['/accumulators', 'DELETE'].map((part) =>
      kubernetes.requests.findIndex((request) => request.includes(part)),
    );
    expect(accumulators).toBeLessThan(removal ?? -1);
  });

  it('removes a cluster whose JobManager may not be told', async () => {
    const message = 'services "c-rest" is forbidden: cannot delete resource "services/proxy"';
    changed[`DELETE ${REST}/cluster`] = { status: 403, body: { kind: 'Status', code: 403, message } };
    expect((await runJob()).code).toBe(0);
    expect(removals().some((request) => request.startsWith(`DELETE ${DEPLOYMENTS}/c`))).toBe(true);
  });

  it('says how the application ended although its cluster cannot be removed', async () => {
    const refusal: Answer = { status: 403, body: { kind: 'Status', code: 403, message: 'no' } };
    changed[`DELETE ${REST}/cluster`] = changed[`DELETE ${DEPLOYMENTS}/c`] = refusal;
    const { code, out, err } = await runJob();
    expect([code, out]).toEqual([0, expect.stringContaining('WordCount FINISHED')]);
    expect(err).toContain('could not be removed');
  });

  it.each([[['-d']], [['--dry-run']], [['-Dexecution.shutdown-on-application-finish=true']]])(
    'leaves the end to Flink with %j',
    async (argv) => {
      const { code, out } = await runJob(...argv);
      expect(code).toBe(0);
      expect(`${out}${madeOptions()}`).not.toMatch(/stacktrace-max-depth|finish: ["']?false|held/);
      expect(removals()).toEqual([]);
    },
  );

  it('prints nothing that contradicts an end that only the log told', async () => {
    const job = { ...(recorded('2.3.0', 'finished', 'jobs_overview') as { jobs: [object] }).jobs[0] };
    const unready = { ...job, 'end-time': -1, tasks: { total: 2, running: 1, finished: 1 } };
    changed[`GET ${REST}/jobs/overview`] = ok({ jobs: [unready] });
    const { out } = await runJob('--json');
    const { jobs } = JSON.parse(out) as { jobs: object[] };
    expect(Object.keys(jobs[0] ?? {}).sort()).toEqual(['accumulators', 'id', 'name', 'startTime', 'state']);
  });
});

describe('a cluster that was held for somebody who follows it no more', () => {
  it('goes after cancel', async () => {
    const { code, out, err } = await run('cancel', ID);
    expect(code, err).toBe(0);
    expect(out).toContain(`Cancelled job ${ID}`);
    expect(removals()).toEqual([`DELETE ${REST}/cluster`]);
  });

  it('stays when it is not held', async () => {
    changed[`GET ${DEPLOYMENTS}/c`] = ok(deployment('c', 'default', 'application'));
    expect((await run('cancel', ID)).code).toBe(0);
    expect(removals()).toEqual([]);
  });
});
