import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startAws, type AwsServer } from '../../infra/local/aws/ministack.ts';
import { clientConfig } from '../../infra/local/aws/deploy.ts';
import { silent } from '../../infra/local/progress.ts';
import { CONFIG_KEY } from '../../lib/install/stored-config.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { scriptedServer, json, type ScriptedServer } from '../kubernetes/api-server.ts';
import { startIssuer, type Issuer } from '../functions/issuer.ts';
import { bundleOf } from '../lambda/bundle.ts';
import { lambdaRuntime, RUNTIMES, type LambdaRuntime } from '../lambda/runtimes.ts';
import { startSandbox, type Sandbox } from '../lambda/sandbox.ts';

const ENTRIES = [
  'on-jar-upload',
  'on-message',
  'on-schedule',
  'on-http',
  'on-page',
  'advance-run',
  'sweep-runs',
] as const;
const SPEC = { name: 'nightly', job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' } };

const runtimes: LambdaRuntime[] = [];
for (const name of RUNTIMES) {
  await lambdaRuntime(name).then(
    (runtime) => runtimes.push(runtime),
    (error: unknown) => {
      if (process.env['CI'] !== undefined) throw error;
      process.stderr.write(`SKIPPED: functions on ${name}, whose runtime client cannot be had: ${String(error)}\n`);
    },
  );
}

describe.each(runtimes)('the functions on $name, under AWS’ runtime client $clientVersion', (runtime) => {
  let aws: AwsServer;
  let api: ScriptedServer;
  let issuer: Issuer;
  let hangs = false;
  let folder: string;
  let environment: Record<string, string>;
  let s3: S3Client;
  let sqs: SQSClient;
  const open: Sandbox[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'runtime-test-'));
    aws = await startAws({
      python: 'python3',
      folder: mkdtempSync(join(folder, 'aws-')),
      host: '127.0.0.1',
      progress: silent,
    });
    issuer = await startIssuer('the-page');
    api = await scriptedServer(({ method }, response) => {
      if (!hangs) json(response, 200, method === 'GET' ? { kind: 'List', metadata: {}, items: [] } : {});
    });
    const config = clientConfig(aws);
    s3 = new S3Client({ ...config, forcePathStyle: true });
    sqs = new SQSClient(config);
    await s3.send(new CreateBucketCommand({ Bucket: 'ledger' }));
    environment = await environmentOf(config);
    for (const name of ENTRIES) await bundleOf(`functions/${name}.ts`, folder);
  });
  afterEach(async () => {
    hangs = false;
    for (const sandbox of open.splice(0)) await sandbox.stop();
  });
  afterAll(async () => {
    await api.close();
    await issuer.close();
    await aws.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The environment of serverless.yml, with a target whose kubeconfig is in Secrets Manager. */
  async function environmentOf(config: ReturnType<typeof clientConfig>): Promise<Record<string, string>> {
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: api.url } }],
      users: [{ name: 'u', user: { token: 'of-the-secret' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    const secrets = new SecretsManagerClient(config);
    const made = await secrets.send(
      new CreateSecretCommand({ Name: 'kube', SecretString: JSON.stringify(kubeconfig) }),
    );
    const access = { kind: 'secret', arn: made.ARN };
    const dispatch = {
      targets: { default: { namespace: 'flink', access } },
      defaults: { image: 'flink:2.3.0', flinkVersion: 'v2_3', serviceAccount: 'flink' },
      allow: { images: ['flink:*'], serviceAccounts: ['flink'], jarBuckets: ['*'], options: { allow: ['*'] } },
    };
    await s3.send(new PutObjectCommand({ Bucket: 'ledger', Key: CONFIG_KEY, Body: stringify(dispatch) }));
    const queue = async (name: string): Promise<string> =>
      (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl ?? '';
    return {
      ...aws.environment,
      STAGE: 'test',
      STACK_NAME: 'flink-dispatch-test',
      LEDGER_BUCKET: 'ledger',
      RUN_QUEUE_URL: await queue('runs'),
      DEAD_LETTER_QUEUE_URL: await queue('dead-letters'),
      EVENT_BUS_NAME: 'default',
      MESSAGE_QUEUE_URL: await queue('messages'),
      SCHEDULE_GROUP: 'default',
      PAGE_ISSUER: issuer.url,
      PAGE_CLIENT: 'the-page',
    };
  }

  async function start(name: string, without: readonly string[] = []): Promise<Sandbox> {
    const given = Object.fromEntries(Object.entries(environment).filter(([key]) => !without.includes(key)));
    const handler = name.includes('.') ? name : `functions/${name}.handler`;
    const sandbox = await startSandbox({ runtime, folder, handler, environment: given });
    open.push(sandbox);
    return sandbox;
  }

  const sqsEvent = (...bodies: readonly string[]): unknown => ({
    Records: bodies.map((body, index) => ({
      messageId: `m${index}`,
      body,
      attributes: {},
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
    })),
  });

  async function received(name: 'RUN_QUEUE_URL' | 'DEAD_LETTER_QUEUE_URL'): Promise<readonly string[]> {
    const bodies: string[] = [];
    for (;;) {
      const want = { QueueUrl: environment[name] ?? '', MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(want));
      if (Messages.length === 0) return bodies;
      bodies.push(...Messages.map(({ Body = '' }) => Body));
    }
  }

  async function accepted(key: string): Promise<{ runId: string; message: string }> {
    const accept = await start('on-message');
    await accept.invoke(
      sqsEvent(JSON.stringify({ spec: { ...SPEC, name: key.replace('.', '-') }, idempotencyKey: key })),
    );
    const runId = /"runId":"([0-9a-f]{20})"/.exec(accept.log())?.[1] ?? '';
    // Messages of runs before it may be in the queue as well.
    return { runId, message: JSON.stringify({ version: 1, runId, step: 1 }) };
  }

  async function record(runId: string): Promise<RunRecord> {
    const object = await s3.send(new GetObjectCommand({ Bucket: 'ledger', Key: `runs/${runId}/record.json` }));
    return JSON.parse((await object.Body?.transformToString()) ?? '') as RunRecord;
  }

  it('begin, each as an ES module', async () => {
    for (const name of ENTRIES) expect((await start(name)).initMs).toBeGreaterThan(0);
  });

  it('tell Lambda of a handler that is not there, and of a variable that is missing', async () => {
    await expect(start('functions/on-message.nothing')).rejects.toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
    const sandbox = await start('on-message', ['LEDGER_BUCKET']);
    const { functionError, payload } = await sandbox.invoke(sqsEvent('{}'));
    expect(functionError).toBe('Unhandled');
    expect(payload).toMatchObject({ errorMessage: expect.stringContaining('LEDGER_BUCKET') as string });
  });

  it('serve the page that was built, say nothing of runs without a token, and refuse writes', async () => {
    const sandbox = await start('on-page');
    const ask = async (method: string, path: string, token?: string): Promise<{ statusCode: number; body: string }> => {
      const headers = { host: 'page.invalid', ...(token && { authorization: `Bearer ${token}` }) };
      const requestContext = { http: { method, path }, domainName: 'page.invalid' };
      const event = { version: '2.0', rawPath: path, rawQueryString: '', headers, requestContext };
      const { payload } = await sandbox.invoke({ ...event, isBase64Encoded: false });
      return payload as { statusCode: number; body: string };
    };
    expect((await ask('GET', '/')).body).toContain('<script type="module" src="/page.js">');
    expect((await ask('GET', '/page.js')).body.length).toBeGreaterThan(20_000);
    expect((await ask('GET', '/api/runs')).statusCode).toBe(401);
    expect((await ask('POST', '/api/runs/0123456789abcdef0123/cancel')).statusCode).toBe(401);
    const token = await issuer.token();
    const { statusCode, body } = await ask('GET', '/api/runs', token);
    expect([statusCode, JSON.parse(body)]).toEqual([200, { rows: expect.any(Array) as unknown }]);
    expect((await ask('POST', '/api/runs/0123456789abcdef0123/cancel', token)).statusCode).toBe(403);
  });

  it('accept what is good beside what is not, and answer for each record alone', async () => {
    const sandbox = await start('on-message');
    const good = JSON.stringify({ spec: SPEC, idempotencyKey: `good-${runtime.name}` });
    const { payload, functionError } = await sandbox.invoke(sqsEvent('no object', good));
    expect(functionError).toBeUndefined();
    expect(payload).toEqual({ batchItemFailures: [] });
    expect(await received('RUN_QUEUE_URL')).toHaveLength(1);
    expect(await received('DEAD_LETTER_QUEUE_URL')).toEqual(['no object']);
    const line =
      sandbox
        .log()
        .split('\n')
        .find((text) => text.includes('run accepted')) ?? '{}';
    expect(JSON.parse(line.slice(line.indexOf('{')))).toMatchObject({
      service: 'flink-dispatch-test',
      runId: expect.stringMatching(/^[0-9a-f]{20}$/) as string,
      function_request_id: expect.any(String) as string,
    });
  });

  it('leave a record and a message of a later version as they are, and take the next run a step', async () => {
    const { message, runId } = await accepted(`version-${runtime.name}`);
    const later = 'a'.repeat(20);
    const body = JSON.stringify({ version: 2, runId: later, what: 'unknown yet' });
    await s3.send(new PutObjectCommand({ Bucket: 'ledger', Key: `runs/${later}/record.json`, Body: body }));
    const sandbox = await start('advance-run');
    const laterRecord = JSON.stringify({ version: 1, runId: later, step: 1 });
    const laterMessage = JSON.stringify({ version: 2, runId, step: 'new' });
    const { payload } = await sandbox.invoke(sqsEvent(laterRecord, laterMessage, message), 40_000);
    expect(payload).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }, { itemIdentifier: 'm1' }] });
    const kept = await s3.send(new GetObjectCommand({ Bucket: 'ledger', Key: `runs/${later}/record.json` }));
    expect(await kept.Body?.transformToString()).toBe(body);
    expect(await received('DEAD_LETTER_QUEUE_URL')).toEqual([]);
    expect((await record(runId)).state).not.toBe('accepted');
    const proof = api.seen.find(({ headers }) => headers.authorization === 'Bearer of-the-secret');
    expect(proof).toBeDefined();
  });

  it('give work back that does not end in time: a Kubernetes that hangs, little time left', async () => {
    const { message, runId } = await accepted(`hangs-${runtime.name}`);
    hangs = true;
    const sandbox = await start('advance-run');
    const { payload, ms } = await sandbox.invoke(sqsEvent(message), 25_000);
    expect(payload).toEqual({ batchItemFailures: [] });
    expect(ms).toBeLessThan(25_000);
    const { state, step, stepError } = await record(runId);
    expect(state).toBe('launching');
    expect(stepError?.reason).toBe('ClusterUnavailable');
    const messages = (await received('RUN_QUEUE_URL')).map(
      (text) => JSON.parse(text) as { runId: string; step: number },
    );
    expect(messages).toContainEqual({ version: 1, runId, step: step.number });
    expect(sandbox.log()).toContain('"FailedSteps"');
  });

  it('go on from where a function was killed', async () => {
    const { message, runId } = await accepted(`killed-${runtime.name}`);
    hangs = true;
    const killed = await start('advance-run');
    const before = api.seen.length;
    const work = killed.invoke(sqsEvent(message), 40_000);
    const end = expect(work).rejects.toThrow('Runtime exited: SIGKILL');
    await expect.poll(() => api.seen.length, { timeout: 30_000 }).toBeGreaterThan(before);
    await killed.stop();
    await end;
    hangs = false;
    const next = await start('advance-run');
    const { payload } = await next.invoke(sqsEvent(message), 40_000);
    expect(payload).toEqual({ batchItemFailures: [] });
    expect((await record(runId)).attempts).toHaveLength(1);
  });

  it('count what a sweep finds', async () => {
    const sandbox = await start('sweep-runs');
    const { payload } = await sandbox.invoke({}, 60_000);
    expect(payload).toMatchObject({ unswept: 0, leaked: 0 });
    const line =
      sandbox
        .log()
        .split('\n')
        .find((text) => text.includes('CloudWatchMetrics')) ?? '{}';
    const metrics = JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>;
    expect(metrics).toMatchObject({
      service: 'flink-dispatch-test',
      OverdueRuns: 0,
      LeakedClusters: 0,
      UnsweptTargets: 0,
    });
  });
});
