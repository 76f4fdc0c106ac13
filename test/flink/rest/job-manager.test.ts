import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import { createApplicationManager, createApplications, createJobManager } from '../../../lib/flink/rest/job-manager.ts';
import { recordedTransport, scripted } from './recorded.ts';

const ID = '0123456789abcdef0123456789abcdef';

describe.each(['1.20.0', '2.3.0'])('JobManager %s, recorded', (version) => {
  it.each([
    ['finished', 'FINISHED', 'WordCount'],
    ['running', 'RUNNING', 'CarTopSpeedWindowingExample'],
    ['failed', 'FAILED', 'WordCount'],
    ['canceled', 'CANCELED', 'CarTopSpeedWindowingExample'],
  ])('reads the state of a %s job', async (state, expected, name) => {
    const facts = await createJobManager(recordedTransport(version, state)).overview();
    expect(facts.flinkVersion).toBe(version);
    expect(facts.jobs).toHaveLength(1);
    expect(facts.jobs[0]).toMatchObject({ state: expected, name });
    expect(facts.jobs[0]?.id).toMatch(/^[0-9a-f]{32}$/);
    expect(facts.jobs[0]?.endTime === -1).toBe(state === 'running');
    expect(facts.jobs[0]?.tasks['TOTAL']).toBe(2);
  });

  it('knows applications from 2.3 only', async () => {
    const transport = recordedTransport(version, 'finished');
    const manager = createJobManager(transport);
    await manager.overview();
    const { applications } = await manager.overview();
    if (version === '2.3.0') {
      expect(applications).toMatchObject([
        { status: 'FINISHED', name: expect.stringContaining('WordCount') as string },
      ]);
    } else {
      expect(applications).toBeUndefined();
      expect(transport.asked).not.toContain('GET /applications/overview');
    }
  });

  it('digs the root cause out of the wrapping exceptions', async () => {
    const { rootException, answers } = await createJobManager(recordedTransport(version, 'failed')).result(ID);
    expect(rootException?.message).toBe(
      "java.io.FileNotFoundException: File /no/such/file does not exist or the user running Flink ('flink') has " +
        'insufficient permissions to access it.',
    );
    expect(rootException?.stackTrace).toMatch(/^org\.apache\.flink\.runtime\.JobException: Recovery is suppressed/);
    expect(rootException?.stackTrace.length).toBeLessThanOrEqual(16 * 1024 + 64);
    expect(rootException?.time).toBeGreaterThan(1_795_000_000_000);
    expect(Object.keys(answers)).toContain(`/jobs/${ID}/exceptions`);
  });

  it('gives accumulators and no exception for a finished job', async () => {
    const result = await createJobManager(recordedTransport(version, 'finished')).result(ID);
    expect(result.rootException).toBeUndefined();
    expect(result.accumulators).toEqual({});
  });
});

describe('how Flink runs a job', () => {
  const runtime = (type: unknown, config?: { status: number; body: unknown }) =>
    createJobManager(
      scripted({
        [`GET /jobs/${ID}`]: [{ status: 200, body: { jid: ID, 'job-type': type } }],
        ...(config === undefined ? {} : { [`GET /jobs/${ID}/checkpoints/config`]: [config] }),
      }),
    ).runtime(ID);
  const every = (interval: number) => ({ status: 200, body: { mode: 'exactly_once', interval, timeout: 600_000 } });

  it.each(['1.20.0', '2.3.0'])('is streaming for the bounded example of %s, too', async (version) => {
    expect(await createJobManager(recordedTransport(version, 'finished')).runtime(ID)).toEqual({
      jobId: ID,
      type: 'STREAMING',
    });
  });

  it.each([
    ['BATCH', every(1000), { type: 'BATCH' }],
    ['STREAMING', every(60_000), { type: 'STREAMING', checkpointInterval: 60_000 }],
    // Long.MAX_VALUE, rounded as JSON.parse does.
    ['STREAMING', every(2 ** 63), { type: 'STREAMING' }],
    ['STREAMING', undefined, { type: 'STREAMING' }],
    [undefined, every(60_000), {}],
    [null, every(60_000), {}],
    ['SOMETHING_NEW', every(60_000), {}],
  ])('%s with %j', async (type, config, expected) => {
    expect(await runtime(type, config)).toEqual({ jobId: ID, ...expected });
  });

  it('is not known where the JobManager does not answer', async () => {
    await expect(runtime('STREAMING', { status: 503, body: 'no' })).rejects.toMatchObject({
      reason: 'RestUnreachable',
    });
    await expect(runtime('STREAMING', every(NaN))).rejects.toMatchObject({ reason: 'RestUnreachable' });
  });
});

describe('what is no usable answer', () => {
  const overview = (body: unknown, status = 200) =>
    createJobManager(
      scripted({ 'GET /overview': [{ status, body }], 'GET /jobs/overview': [{ status, body }] }),
    ).overview();
  const cut = '{"taskmanagers":1,"slots-to';

  it.each([
    ['a page of a proxy', '<html><body>502 Bad Gateway</body></html>', 502, 'RestUnreachable', /502/],
    ['HTML with status 200', '<!doctype html><title>login</title>', 200, 'RestUnreachable', /not JSON/],
    ['an answer cut short', cut, 200, 'RestUnreachable', /not JSON/],
    [
      'an election',
      { errors: ['Service temporarily unavailable due to an ongoing leader election. Please refresh.'] },
      503,
      'RestUnreachable',
      /leader election/,
    ],
    [
      'no endpoint yet',
      { kind: 'Status', status: 'Failure', message: 'no endpoints available for service "x-rest"' },
      503,
      'RestUnreachable',
      /no endpoints/,
    ],
    ['no Service', { kind: 'Status', message: 'services "x-rest" not found' }, 404, 'RestUnreachable', /not found/],
    [
      'a closed proxy',
      { kind: 'Status', message: 'services "x-rest:rest" is forbidden' },
      403,
      'PermissionDenied',
      /forbidden/,
    ],
    ['another program', { hello: 1 }, 200, 'RestUnreachable', /unexpected answer/],
    ['an empty answer', '', 200, 'RestUnreachable', /not JSON/],
  ])('%s', async (_what, body, status, reason, message) => {
    const error = await overview(body, status).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DispatchError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) as string });
  });

  it('a transport that throws', async () => {
    const manager = createJobManager(() => Promise.reject(new DispatchError('ClusterUnavailable', 'no route')));
    await expect(manager.overview()).rejects.toMatchObject({
      reason: 'RestUnreachable',
      message: expect.stringContaining('no route') as string,
    });
  });

  it('a huge error text is bounded', async () => {
    const error = await overview('x'.repeat(1_000_000), 500).catch((thrown: unknown) => thrown);
    expect((error as DispatchError).message.length).toBeLessThan(3_000);
  });
});

describe('unknown things', () => {
  const job = { jid: ID, name: 'n', state: 'PAUSED', 'start-time': 1, 'end-time': -1, duration: 1, tasks: {} };

  it('keeps the name of a state that it does not know', async () => {
    const transport = scripted({
      'GET /overview': [
        {
          status: 200,
          body: { taskmanagers: 0, 'slots-total': 0, 'slots-available': 0, 'flink-version': '3.0.0', more: 1 },
        },
      ],
      'GET /jobs/overview': [{ status: 200, body: { jobs: [job] } }],
    });
    const { jobs, applications } = await createJobManager(transport).overview();
    expect(jobs[0]).toMatchObject({ state: 'UNKNOWN', reportedState: 'PAUSED' });
    expect(applications).toBeUndefined();
  });

  it('a job that is not there', async () => {
    const body = {
      errors: [
        `org.apache.flink.runtime.rest.NotFoundException: Job ${ID} not found\n\tat a.b.C(C.java:1)\nCaused by: x.Y: z\n`,
      ],
    };
    const manager = createJobManager(
      scripted({ [`GET /jobs/${ID}`]: [{ status: 404, body }], [`PATCH /jobs/${ID}`]: [{ status: 404, body }] }),
    );
    const expected = { reason: 'JobNotFound', message: expect.stringContaining(`Job ${ID} not found`) as string };
    await expect(manager.result(ID)).rejects.toMatchObject(expected);
    await expect(manager.cancel(ID)).rejects.toMatchObject(expected);
  });

  it('one part that does not answer leaves the others', async () => {
    const transport = scripted({
      [`GET /jobs/${ID}`]: [{ status: 200, body: { jid: ID } }],
      [`GET /jobs/${ID}/exceptions`]: [{ status: 500, body: { errors: ['boom'] } }],
      [`GET /jobs/${ID}/accumulators`]: [
        { status: 200, body: { 'user-task-accumulators': [{ name: 'rows', type: 'IntCounter', value: '42' }] } },
      ],
    });
    const result = await createJobManager(transport).result(ID);
    expect(result.accumulators).toEqual({ rows: '42' });
    expect(result.rootException).toBeUndefined();
    expect(Object.keys(result.answers)).toEqual([`/jobs/${ID}`, `/jobs/${ID}/accumulators`]);
  });

  it('evidence is bounded', async () => {
    const transport = scripted({ [`GET /jobs/${ID}`]: [{ status: 200, body: { plan: 'p'.repeat(100_000) } }] });
    const { answers } = await createJobManager(transport).result(ID);
    expect(answers[`/jobs/${ID}`]).toMatchObject({ truncated: true, bytes: 100_011 });
  });

  it('an application that failed before any job', async () => {
    const stacktrace =
      'org.apache.flink.client.program.ProgramInvocationException: The main method caused an error\n\tat a.B(B.java:1)\nCaused by: java.lang.IllegalArgumentException: --input is missing\n\tat c.D(D.java:2)\n';
    const path = `GET /applications/${ID}/exceptions`;
    const entries = [{ exceptionName: 'x', stacktrace, timestamp: 7, jobId: null }];
    const found = createApplications(scripted({ [path]: [{ status: 200, body: { exceptionHistory: { entries } } }] }));
    expect(await found.exception(ID)).toMatchObject({
      message: 'java.lang.IllegalArgumentException: --input is missing',
      time: 7,
    });
    expect(await createApplications(scripted({})).exception(ID)).toBeUndefined();
  });
});

it('encodes what it puts into a path', async () => {
  const transport = scripted({});
  await createJobManager(transport)
    .cancel('../overview?x')
    .catch(() => undefined);
  expect(transport.requests).toEqual([{ method: 'PATCH', path: '/jobs/..%2Foverview%3Fx', query: { mode: 'cancel' } }]);
});

describe('what a JobManager has of the state', () => {
  const taken = (id: number, path: string | null, more: object = {}) => ({
    ...{
      className: 'completed',
      id,
      status: 'COMPLETED',
      is_savepoint: false,
      savepointFormat: null,
      discarded: false,
    },
    ...{ latest_ack_timestamp: 1000 + id, state_size: 10 * id, external_path: path, ...more },
  });
  const savepoint = (id: number, path: string, format = 'CANONICAL') =>
    taken(id, path, { is_savepoint: true, savepointFormat: format });
  const told = (latest: object, counts: object = {}) =>
    createJobManager(
      scripted({
        [`GET /jobs/${ID}/checkpoints`]: [
          {
            status: 200,
            body: {
              counts: { restored: 0, total: 0, in_progress: 0, completed: 0, failed: 0, ...counts },
              latest: { completed: null, savepoint: null, failed: null, restored: null, ...latest },
              history: [],
            },
          },
        ],
      }),
    ).checkpoints(ID);

  it.each(['1.20.0', '2.3.0'])('is nothing for the job of %s without checkpoints', async (version) => {
    expect(await createJobManager(recordedTransport(version, 'running')).checkpoints(ID)).toEqual({
      completedSinceRestore: 0,
      failed: 0,
      inProgress: 0,
    });
  });

  it('is the newest by its number, a savepoint or a checkpoint', async () => {
    const latest = { completed: taken(4, 's3://b/c/chk-4'), savepoint: savepoint(5, 's3://b/s/savepoint-1/') };
    expect(await told(latest, { completed: 5, failed: 2, in_progress: 1 })).toEqual({
      newest: { id: 5, path: 's3://b/s/savepoint-1', isSavepoint: true, format: 'CANONICAL', at: 1005, bytes: 50 },
      completedSinceRestore: 5,
      failed: 2,
      inProgress: 1,
    });
    expect((await told({ ...latest, completed: taken(6, 's3://b/c/chk-6') })).newest).toEqual({
      ...{ id: 6, path: 's3://b/c/chk-6', isSavepoint: false, at: 1006, bytes: 60 },
    });
  });

  it('is nothing that has gone, or that has no place', async () => {
    for (const completed of [
      taken(4, 's3://b/c/chk-4', { discarded: true }),
      taken(4, '<checkpoint-not-externally-addressable>'),
      taken(4, null),
    ]) {
      expect((await told({ completed })).newest).toBeUndefined();
    }
  });

  it('says what the job began from', async () => {
    const restored = { id: 3, restore_timestamp: 5, is_savepoint: true, external_path: 's3://b/s/savepoint-0' };
    expect((await told({ restored })).restored).toEqual({ id: 3, path: 's3://b/s/savepoint-0' });
  });
});

describe('restarts of a job', () => {
  const PATH = `GET /jobs/${ID}/metrics`;
  it.each([
    [[{ id: 'numRestarts', value: '7' }], 7],
    // Not fetched from the metric registry yet.
    [[], 0],
  ])('%j are %i', async (body, restarts) => {
    const transport = scripted({ [PATH]: [{ status: 200, body }] });
    expect(await createApplicationManager(transport).restarts(ID)).toBe(restarts);
  });
});
