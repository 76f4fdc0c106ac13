import { describe, expect, it } from 'vitest';
import type { RunId } from '../../lib/core/ids.ts';
import { objectPaths, putObject, records, RUNS, sentTo } from './aws.ts';
import { openHttp, type Call } from './http-calls.ts';

const THEIRS = 'arn:aws:iam::111122223333:user/orders/ci';
const tenant = (name: string, principal: string) => ({
  sources: [{ principal }, { queue: `arn:aws:sqs:eu-central-1:111122223333:${name}` }],
  targets: { default: [name] },
  allow: { images: ['flink:*'] },
});
const TENANTS = {
  allow: undefined,
  targets: { default: { namespace: 'payments', namespaces: ['orders'], access: { kind: 'in-cluster' } } },
  tenants: {
    payments: tenant('payments', 'arn:aws:iam::111122223333:role/teams/payments-jobs'),
    orders: tenant('orders', THEIRS),
  },
};
const SPEC = { name: 'nightly', job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B', args: ['--password', 'x'] } };

const call = openHttp(TENANTS);

async function started(more: Call = {}): Promise<RunId> {
  const { status, body, headers } = await call('POST /runs', { body: SPEC, ...more });
  expect(status).toBe(202);
  const { runId } = body as { runId: RunId };
  expect(headers['location']).toBe(`/runs/${runId}`);
  return runId;
}

/** The run as it stands in the ledger, changed. */
function change(runId: string, parts: object): void {
  const record = records().find((one) => one.runId === runId);
  putObject(`ledger/runs/${runId}/record.json`, JSON.stringify({ ...record, ...parts }));
}

const OUTCOME = { state: 'succeeded', reason: 'JobFinished', message: 'finished', at: 1_800_000_000_000, evidence: [] };

describe('POST /runs', () => {
  it('starts a run of the caller’s tenant', async () => {
    const runId = await started();
    expect(records()).toMatchObject([
      {
        runId,
        tenant: 'payments',
        state: 'accepted',
        source: { kind: 'http', caller: { kind: 'iam', principal: 'arn:aws:iam::111122223333:role/payments-jobs' } },
        job: { namespace: 'payments' },
      },
    ]);
    expect(sentTo(RUNS).map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ version: 1, runId, step: 1 }]);
  });

  it('answers all that is wrong with a spec, by field, and leaves no object', async () => {
    const body = { name: 'nightly', jobs: {}, job: { parallelism: 0, paralelism: 2 }, retry: { attempts: 'two' } };
    const { status, body: problem, headers } = await call('POST /runs', { body });
    expect(status).toBe(422);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(problem).toMatchObject({ type: 'urn:flink-dispatch:problem:InvalidSpec', status: 422 });
    const { problems } = problem as { problems: { field: string }[] };
    expect(problems.map(({ field }) => field).sort()).toEqual([
      'job.paralelism',
      'job.parallelism',
      'jobs',
      'retry.attempts',
    ]);
    expect(objectPaths()).toEqual([]);
  });

  it('answers all that is not allowed, and leaves no object', async () => {
    const body = { ...SPEC, image: 'evil:1', serviceAccount: 'root', namespace: 'orders' };
    const { status, body: problem } = await call('POST /runs', { body });
    expect(status).toBe(422);
    const { problems } = problem as { problems: { field: string; reason: string }[] };
    expect(problems.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['namespace', 'image', 'serviceAccount']),
    );
    expect(problems.every(({ reason }) => reason === 'NotAllowed')).toBe(true);
    expect(objectPaths()).toEqual([]);
  });

  it('is one run for one key, and a conflict for another content', async () => {
    const headers = { 'idempotency-key': 'today' };
    const runId = await started({ headers });
    const again = await call('POST /runs', { body: { ...SPEC, idempotencyKey: 'today' } });
    expect(again).toMatchObject({ status: 202, body: { runId, result: 'duplicate' } });
    const other = await call('POST /runs', { body: { ...SPEC, name: 'weekly' }, headers });
    expect(other).toMatchObject({ status: 409, body: { reason: 'IdempotencyConflict', field: 'idempotencyKey' } });
    expect((await call('POST /runs?dryRun', { body: { ...SPEC, name: 'weekly' }, headers })).status).toBe(409);
    // The key of another tenant is another key.
    expect(await started({ by: THEIRS, headers })).not.toBe(runId);
    expect(records()).toHaveLength(2);
  });

  it('tells of a dry run what would run, without secrets, and writes nothing', async () => {
    const { status, body } = await call('POST /runs?dryRun=true', { body: SPEC });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      result: 'valid',
      name: 'nightly',
      job: { namespace: 'payments', image: 'flink:2.3.0', args: ['--password', '******'] },
    });
    expect(objectPaths()).toEqual([]);
    expect(sentTo(RUNS)).toEqual([]);
  });

  it.each([
    ['no object', 400, 'MalformedRequest'],
    [{ runJob: 'nobody' }, 422, 'UnknownJob'],
    [{ ...SPEC, target: 'moon' }, 422, 'UnknownTarget'],
  ])('answers %j with %i', async (body, status, reason) => {
    expect(await call('POST /runs', { body })).toMatchObject({ status, body: { reason } });
    expect(objectPaths()).toEqual([]);
  });
});

describe('a caller', () => {
  it('that nobody knows is refused', async () => {
    expect(await call('POST /runs', { by: null, body: SPEC })).toMatchObject({ status: 401 });
    const stranger = 'arn:aws:sts::999988887777:assumed-role/payments-jobs/session';
    expect(await call('POST /runs', { by: stranger, body: SPEC })).toMatchObject({
      status: 403,
      body: { reason: 'NotAllowed', field: 'source' },
    });
    expect(objectPaths()).toEqual([]);
  });

  it('of another tenant finds no run', async () => {
    const runId = await started();
    const routes = ['GET', 'DELETE', 'POST /stop', 'POST /savepoint', 'GET /events', 'GET /logs'];
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ');
      const answer = await call(`${method} /runs/${runId}${path}`, { by: THEIRS });
      expect(answer, route).toMatchObject({ status: 404, body: { reason: 'RunNotFound', field: 'run' } });
    }
    expect((await call('GET /runs', { by: THEIRS })).body).toEqual({ runs: [] });
    expect((await call('GET /runs?tenant=payments', { by: THEIRS })).body).toEqual({ runs: [] });
    expect(records()[0]?.cancelRequested).toBeUndefined();
  });
});

describe('GET /runs', () => {
  it('lists by what is asked for', async () => {
    const [one, two] = [await started(), await started({ body: { ...SPEC, name: 'weekly' } })];
    const ids = async (query: string) =>
      ((await call(`GET /runs${query}`)).body as { runs: { runId: string }[] }).runs.map(({ runId }) => runId);
    expect((await ids('')).sort()).toEqual([one, two].sort());
    expect(await ids('?name=week*&state=live&trigger=http')).toEqual([two]);
    expect(await ids('?limit=1')).toHaveLength(1);
  });

  it.each(['?sate=live', '?state=lives', '?limit=5000', '?since=then'])('names what is wrong in %s', async (query) => {
    const [, field] = /^\?(\w+)=/.exec(query) ?? [];
    expect(await call(`GET /runs${query}`)).toMatchObject({ status: 400, body: { field } });
  });
});

describe('a run', () => {
  it('is shown without secrets', async () => {
    const runId = await started();
    expect((await call(`GET /runs/${runId}`)).body).toMatchObject({
      ...{ runId, tenant: 'payments', name: 'nightly', state: 'accepted', isClosed: false, attempts: [] },
      request: { kind: 'http', caller: 'arn:aws:iam::111122223333:role/payments-jobs' },
      job: { jar: 'local:///opt/job.jar', args: ['--password', '******'] },
    });
  });

  it('is waited for until it has its outcome', async () => {
    const runId = await started();
    const waits = call(`GET /runs/${runId}?wait=25s`);
    change(runId, { state: 'ended', outcome: OUTCOME });
    expect((await waits).body).toMatchObject({
      state: 'succeeded',
      outcome: { reason: 'JobFinished', todo: 'Nothing.' },
    });
    expect(await call(`GET /runs/${runId}?wait=26s`)).toMatchObject({ status: 400, body: { field: 'wait' } });
  });

  it('is cancelled once, and not when it has ended', async () => {
    const runId = await started();
    const asked = { status: 202, body: { runId, result: 'asked' } };
    expect(await call(`DELETE /runs/${runId}`)).toMatchObject(asked);
    const { cancelRequested } = records()[0] ?? {};
    expect(cancelRequested).toMatchObject({ by: 'arn:aws:iam::111122223333:role/payments-jobs' });
    expect(await call(`DELETE /runs/${runId}`)).toMatchObject(asked);
    expect(records()[0]?.cancelRequested).toEqual(cancelRequested);
    change(runId, { state: 'ended', outcome: OUTCOME });
    expect(await call(`DELETE /runs/${runId}`)).toMatchObject({ status: 200, body: { runId, result: 'ended' } });
  });

  it('that keeps no state is not stopped with it', async () => {
    const runId = await started();
    for (const order of ['stop', 'savepoint']) {
      const answer = await call(`POST /runs/${runId}/${order}`);
      expect(answer).toMatchObject({ status: 422, body: { reason: 'InvalidSpec', field: 'run' } });
    }
  });

  it('has its events, and those after one', async () => {
    const runId = await started();
    const { body, headers } = await call(`GET /runs/${runId}/events`);
    expect(headers['content-type']).toBe('application/cloudevents-batch+json');
    expect(body).toMatchObject([{ specversion: '1.0', id: `${runId}.1`, source: '/flink-dispatch/test' }]);
    expect((await call(`GET /runs/${runId}/events?after=1`)).body).toEqual([]);
  });

  it('has the logs that were kept', async () => {
    const runId = await started();
    expect(await call(`GET /runs/${runId}/logs`)).toMatchObject({ status: 400, body: { field: 'attempt' } });
    const artifacts = ['nightly-x.log', 'nightly-taskmanager-1-1.log', 'nightly-taskmanager-1-2.log'];
    const attempt = { number: 1, clusterId: 'nightly-x', jobId: 'a'.repeat(32), launchedAt: 1, artifacts };
    change(runId, { state: 'ended', outcome: OUTCOME, attempts: [attempt] });
    for (const name of artifacts) putObject(`ledger/runs/${runId}/evidence/1/${name}`, `one\ntwo of ${name}\n`);
    expect((await call(`GET /runs/${runId}/logs?tail=1`)).body).toBe('two of nightly-x.log');
    const both = await call(`GET /runs/${runId}/logs?taskmanagers&tail=1`);
    expect(both.body).toBe(
      ['1-1', '1-2'].map((pod) => `[nightly-taskmanager-${pod}] two of nightly-taskmanager-${pod}.log`).join('\n'),
    );
    expect(await call(`GET /runs/${runId}/logs?pod=other`)).toMatchObject({ status: 400, body: { field: 'pod' } });
  });
});

it.each([
  ['GET /', 404],
  ['GET /runs/nobody', 404],
  ['GET /runs/0123456789abcdef0123/', 404],
  ['PUT /runs', 405],
  ['POST /runs/0123456789abcdef0123', 405],
])('%s is %i', async (route, status) => {
  const answer = await call(route);
  expect(answer.status).toBe(status);
  if (status === 405) expect(answer.headers['allow']).toMatch(/GET/);
});

it('a fault of storage is told as one that passes, and not what it was', async () => {
  putObject('ledger/runs/0123456789abcdef0123/record.json', 'no record');
  const answer = await call('GET /runs/0123456789abcdef0123');
  expect(answer).toMatchObject({ status: 500, body: { reason: 'Internal' } });
});
