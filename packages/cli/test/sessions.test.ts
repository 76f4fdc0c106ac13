import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../src/main.ts';
import { fakeIo } from './fake-io.ts';
import { deployment, fakeKubernetes, recorded, type Answer } from './fake-kubernetes.ts';
import { runCli } from './run-cli.ts';

const DEPLOYMENT = '/apis/apps/v1/namespaces/default/deployments/sess';
const REST = '/api/v1/namespaces/default/services/sess-rest:rest/proxy';
const ok = (body: unknown): Answer => ({ status: 200, body });
const none = { jobs: [] };

let jobs: unknown;
let silent: boolean;
let gone: boolean;
let kubernetes: Awaited<ReturnType<typeof fakeKubernetes>>;

// its reader of kubeconfigs takes seconds on a busy machine, once
beforeAll(async () => import('@kubernetes/client-node'), 60_000);

beforeEach(async () => {
  jobs = none;
  silent = false;
  gone = false;
  const unreachable: Answer = { status: 503, body: { kind: 'Status', code: 503, message: 'no endpoints' } };
  const rest = (body: () => unknown) => () => (silent ? unreachable : ok(body()));
  const standing = { ...deployment('sess', 'default', 'session') };
  const answers: Record<string, Answer | (() => Answer)> = {
    [`GET ${DEPLOYMENT}`]: () =>
      gone ? { status: 404, body: {} } : ok({ ...standing, metadata: { ...standing.metadata, uid: 'u' } }),
    [`DELETE ${DEPLOYMENT}`]: () => ((gone = true), ok({})),
    [`GET ${REST}/overview`]: rest(() => recorded('2.3.0', 'running', 'overview')),
    [`GET ${REST}/jobs/overview`]: rest(() => jobs),
    [`GET ${REST}/applications/overview`]: rest(() => ({ applications: [] })),
  };
  const lists = ['/apis/apps/v1/namespaces/default/deployments', '/apis/apps/v1/namespaces/default/replicasets'];
  const core = ['pods', 'services', 'configmaps', 'secrets'].map((name) => `/api/v1/namespaces/default/${name}`);
  for (const path of [...lists, ...core]) answers[`GET ${path}`] = () => ok({ items: [] });
  kubernetes = await fakeKubernetes(answers);
});
afterEach(() => kubernetes.close());

const run = (argv: readonly string[], input: readonly string[] = []) => runCli(argv, { env: kubernetes.env, input });

const deleted = () => kubernetes.requests.some((request) => request.startsWith('DELETE'));

describe('session stop', () => {
  it('removes a session without jobs', async () => {
    expect(await run(['session', 'stop', 'sess'])).toMatchObject({ code: 0, out: 'Session cluster sess stopped\n' });
  });

  it('says which jobs run, and stops with --force only', async () => {
    jobs = recorded('2.3.0', 'running', 'jobs_overview');
    const { code, err } = await run(['session', 'stop', 'sess']);
    expect(err).toMatch(
      /a job runs on sess: [0-9a-f]{32} \(CarTopSpeedWindowingExample, RUNNING\); cancel it first, or/,
    );
    expect([code, deleted()]).toEqual([2, false]);
    expect(await run(['session', 'stop', '--force', 'sess'])).toMatchObject({ code: 0 });
    expect(deleted()).toBe(true);
  });

  it('does not guess what runs on a JobManager that does not answer', async () => {
    silent = true;
    const { code, err } = await run(['session', 'stop', 'sess']);
    expect(err).toMatch(/JobManager of sess does not answer, so its jobs are not known; --force/);
    expect([code, deleted()]).toEqual([2, false]);
  });
});

describe('session attach', () => {
  it('shows TaskManagers and slots as they change, until quit', async () => {
    const io = fakeIo(kubernetes.env);
    const input = async function* () {
      await vi.waitFor(() => expect(io.stderr()).toMatch(/sess: Flink 2\.3\.0, 1 TaskManagers, .* 0 running jobs\n/));
      jobs = recorded('2.3.0', 'running', 'jobs_overview');
      await vi.waitFor(() => expect(io.stderr()).toMatch(/sess: Flink .* 1 running jobs\n/));
      yield 'help';
      yield 'nonsense';
      yield 'quit';
    };
    expect(await main(['session', 'attach', 'sess'], { ...io, input }, '1')).toBe(0);
    expect(io.stderr()).toContain("unknown command 'nonsense'");
    expect(io.stderr().match(/^quit - leave it running$/gm)).toHaveLength(3);
    expect(deleted()).toBe(false);
  });

  it('stops it: echo stop | session attach', async () => {
    expect(await run(['session', 'attach', 'sess'], ['stop'])).toMatchObject({
      code: 0,
      out: 'Session cluster sess stopped\n',
    });
  });

  it('not while jobs run, unless forced', async () => {
    jobs = recorded('2.3.0', 'running', 'jobs_overview');
    const refused = await run(['session', 'attach', 'sess'], ['stop']);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('a job runs on sess') as string });
    expect(deleted()).toBe(false);
    expect(await run(['session', 'attach', 'sess'], ['stop', 'stop --force'])).toMatchObject({ code: 0 });
  });

  it('is what an attached start does when the session runs already', async () => {
    const attached = ['-Dkubernetes.cluster-id=sess', '-Dexecution.attached=true'];
    expect(await run(['session', 'start', ...attached], ['stop'])).toMatchObject({
      code: 0,
      out: 'Session cluster sess stopped\n',
    });
    expect(kubernetes.requests.some((request) => request.startsWith('POST'))).toBe(false);
  });
});
