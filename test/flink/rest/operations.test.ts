import { describe, expect, it } from 'vitest';
import { createClusterInspection } from '../../../lib/flink/rest/inspection.ts';
import type { Payload } from '../../../lib/core/payload.ts';
import { createJars } from '../../../lib/flink/rest/jars.ts';
import { awaitSavepoint, createSavepoints } from '../../../lib/flink/rest/savepoints.ts';
import type { RestRequest } from '../../../lib/flink/rest/transport.ts';
import { recordedTransport, scripted } from './recorded.ts';

const ID = '0123456789abcdef0123456789abcdef';
const accepted = [{ status: 202, body: { 'request-id': 't1' } }];
const pending = { status: 200, body: { status: { id: 'IN_PROGRESS' }, operation: null } };
const done = { status: 200, body: { status: { id: 'COMPLETED' }, operation: { location: 's3://b/savepoint-1' } } };

function fakeClock() {
  let now = 0;
  return { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) };
}

describe('savepoints', () => {
  it('triggers one and waits for its location', async () => {
    const transport = scripted({
      [`POST /jobs/${ID}/savepoints`]: accepted,
      [`GET /jobs/${ID}/savepoints/t1`]: [pending, pending, done],
    });
    const savepoints = createSavepoints(transport);
    const operation = await savepoints.trigger(ID, { targetDirectory: 's3://b', formatType: 'NATIVE' });
    expect(transport.requests[0]).toMatchObject({
      body: { 'target-directory': 's3://b', 'cancel-job': false, formatType: 'NATIVE' },
    });
    const clock = fakeClock();
    expect(await awaitSavepoint(savepoints, operation, clock, { timeout: 60_000 })).toBe('s3://b/savepoint-1');
    expect(clock.now()).toBe(1_000);
  });

  it('names the operation, so that a repeat joins it', async () => {
    const transport = scripted({
      [`POST /jobs/${ID}/savepoints`]: accepted,
      [`POST /jobs/${ID}/stop`]: accepted,
      [`POST /jobs/${ID}/checkpoints`]: accepted,
      [`GET /jobs/${ID}/checkpoints/t1`]: [
        { status: 200, body: { status: { id: 'COMPLETED' }, operation: { checkpointId: 7 } } },
      ],
    });
    const savepoints = createSavepoints(transport);
    await savepoints.trigger(ID, { triggerId: 't1' });
    await savepoints.stop(ID, { triggerId: 't1', drain: false });
    const operation = await savepoints.checkpoint(ID, { triggerId: 't1', type: 'FULL' });
    expect(transport.requests.map((request) => (request as RestRequest).body)).toEqual([
      { 'cancel-job': false, triggerId: 't1' },
      { drain: false, triggerId: 't1' },
      { triggerId: 't1', checkpointType: 'FULL' },
    ]);
    expect(await savepoints.status(operation)).toEqual({ status: 'COMPLETED' });
  });

  it.each([
    ['savepoint', `/jobs/${ID}/savepoints/t1`, 'There is no savepoint operation with triggerId=t1 for job x.'],
    ['checkpoint', `/jobs/${ID}/checkpoints/t1`, 'There is no checkpoint operation with triggerId=t1 for job x.'],
    ['disposal', '/savepoint-disposal/t1', 'There is no operation.'],
  ] as const)('knows a %s that Flink has forgotten from a job that it has not', async (kind, path, said) => {
    const body = { errors: [`org.apache.flink.runtime.rest.handler.RestHandlerException: ${said}\n\tat a`] };
    const savepoints = createSavepoints(scripted({ [`GET ${path}`]: [{ status: 404, body }] }));
    await expect(savepoints.status({ kind, jobId: ID, triggerId: 't1' })).rejects.toMatchObject({
      reason: 'OperationNotFound',
      message: expect.stringContaining(said) as string,
    });
    const proxy = createSavepoints(scripted({ [`GET ${path}`]: [{ status: 404, body: 'no such service' }] }));
    await expect(proxy.status({ kind, jobId: ID, triggerId: 't1' })).rejects.toMatchObject({
      reason: 'RestUnreachable',
    });
  });

  it('stops a job, draining', async () => {
    const transport = scripted({ [`POST /jobs/${ID}/stop`]: accepted });
    await createSavepoints(transport).stop(ID, { drain: true, targetDirectory: '/sp' });
    expect(transport.requests[0]).toMatchObject({ body: { drain: true, targetDirectory: '/sp' } });
  });

  it('names the root cause of one that failed', async () => {
    const cause = {
      class: 'x',
      'stack-trace':
        'java.util.concurrent.CompletionException: w\n\tat a\nCaused by: java.io.IOException: disk full\n\tat b',
      'serialized-throwable': 'x',
    };
    const failed = { status: 200, body: { status: { id: 'COMPLETED' }, operation: { 'failure-cause': cause } } };
    const savepoints = createSavepoints(scripted({ [`GET /jobs/${ID}/savepoints/t1`]: [failed] }));
    const waiting = awaitSavepoint(savepoints, { kind: 'savepoint', jobId: ID, triggerId: 't1' }, fakeClock(), {
      timeout: 1,
    });
    await expect(waiting).rejects.toMatchObject({
      reason: 'FlinkRefused',
      message: expect.stringContaining('java.io.IOException: disk full') as string,
    });
  });

  it('gives up at its timeout', async () => {
    const savepoints = createSavepoints(scripted({ 'GET /savepoint-disposal/t1': [pending] }));
    const waiting = awaitSavepoint(savepoints, { kind: 'disposal', triggerId: 't1' }, fakeClock(), { timeout: 3_000 });
    await expect(waiting).rejects.toThrow('did not end within 3 s');
  });

  it("repeats Flink's refusal", async () => {
    const body = {
      errors: ['Config key [state.savepoints.dir] is not set. Property [target-directory] must be provided.'],
    };
    const savepoints = createSavepoints(scripted({ [`POST /jobs/${ID}/savepoints`]: [{ status: 400, body }] }));
    await expect(savepoints.trigger(ID, {})).rejects.toMatchObject({
      reason: 'FlinkRefused',
      message: expect.stringContaining('state.savepoints.dir') as string,
    });
  });
});

describe('jars', () => {
  it('uploads one as a form, and runs it', async () => {
    const transport = scripted({
      'POST /jars/upload': [{ status: 200, body: { filename: '/tmp/flink-web/u/3f_my job.jar', status: 'success' } }],
      'POST /jars/3f_my%20job.jar/run': [{ status: 200, body: { jobid: ID } }],
    });
    const jars = createJars(transport);
    const id = await jars.upload('my job.jar', new TextEncoder().encode('PK…'));
    expect(id).toBe('3f_my job.jar');
    const { body, contentType } = transport.requests[0] as RestRequest;
    const chunks: Uint8Array[] = [];
    for await (const chunk of (body as Payload).chunks()) chunks.push(chunk);
    expect(Buffer.concat(chunks).byteLength).toBe((body as Payload).size);
    const form = await new Response(Buffer.concat(chunks), {
      headers: { 'content-type': contentType ?? '' },
    }).formData();
    const file = form.get('jarfile') as File;
    expect([file.name, file.type, await file.text()]).toEqual(['my job.jar', 'application/x-java-archive', 'PK…']);
    expect(await jars.run(id, { programArgs: ['--a', 'b c', ''], parallelism: 2 })).toBe(ID);
    expect(JSON.parse(JSON.stringify((transport.requests[1] as RestRequest).body))).toEqual({
      programArgsList: ['--a', 'b c', ''],
      parallelism: 2,
    });
  });

  it('tells what main() threw, with its root cause', async () => {
    const stack =
      'org.apache.flink.runtime.rest.handler.RestHandlerException: Could not execute application.\n' +
      '\tat org.apache.flink.Handler.run(Handler.java:1)\n' +
      'Caused by: org.apache.flink.client.program.ProgramInvocationException: The main method caused an error: no\n' +
      '\tat a.B.main(B.java:2)\n' +
      'Caused by: java.lang.IllegalArgumentException: no such mode\n\tat a.B.parse(B.java:9)';
    const jars = createJars(scripted({ 'POST /jars/1_a.jar/run': [{ status: 400, body: { errors: [stack] } }] }));
    await expect(jars.run('1_a.jar', {})).rejects.toMatchObject({
      reason: 'ApplicationFailed',
      root: { message: 'java.lang.IllegalArgumentException: no such mode', stackTrace: stack },
    });
    const gone = { errors: ['org.apache.flink.runtime.rest.handler.RestHandlerException: Jar file x does not exist'] };
    const absent = createJars(scripted({ 'POST /jars/1_a.jar/run': [{ status: 400, body: gone }] }));
    await expect(absent.run('1_a.jar', {})).rejects.toMatchObject({ reason: 'FlinkRefused' });
  });

  it('lists them', async () => {
    const files = [{ id: '1_a.jar', name: 'a.jar', uploaded: 1, entry: [] }];
    const jars = createJars(scripted({ 'GET /jars': [{ status: 200, body: { address: 'http://x', files } }] }));
    expect(await jars.list()).toEqual([{ id: '1_a.jar', name: 'a.jar' }]);
  });
});

describe.each(['1.20.0', '2.3.0'])('inspection of %s, recorded', (version) => {
  it('lists TaskManagers and the configuration', async () => {
    const inspection = createClusterInspection(recordedTransport(version, 'running'));
    expect(await inspection.taskManagers()).toMatchObject([
      { slots: 1, freeSlots: 0, id: expect.stringContaining('taskmanager-1-1') as string },
    ]);
    expect(await inspection.configuration()).toMatchObject({ 'execution.target': 'embedded' });
  });
});

it('reads logs of the JobManager and of a TaskManager', async () => {
  const inspection = createClusterInspection(
    scripted({
      'GET /jobmanager/logs': [{ status: 200, body: { logs: [{ name: 'jm.log', size: 3, mtime: 1 }] } }],
      'GET /taskmanagers/tm-1/logs/tm%20out': [{ status: 200, body: 'hello' }],
    }),
  );
  expect(await inspection.logs()).toEqual([{ name: 'jm.log', size: 3 }]);
  expect(await inspection.log('tm out', 'tm-1')).toBe('hello');
});
