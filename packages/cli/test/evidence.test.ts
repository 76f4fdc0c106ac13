import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleRecord } from '../../../test/fixtures/records/load.ts';
import { fakeKubernetes } from './fake-kubernetes.ts';
import { runCli } from './run-cli.ts';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
const record = sampleRecord();
const { runId } = record;
const attempt = record.attempts[0];
if (attempt === undefined) throw new Error('the stored run has no attempt');
const { clusterId } = attempt;
const JOB_MANAGER = `${clusterId}-5d5f-abcde.log`;
const TASK_MANAGER = `${clusterId}-taskmanager-1-1.log`;

const objects = new Map<string, string>();

beforeEach(() => {
  s3.reset();
  objects.clear();
  const artifacts = [JOB_MANAGER, TASK_MANAGER, 'kubernetes.json'];
  const stored = { ...record, attempts: [{ ...attempt, artifacts }] };
  objects.set(`runs/${runId}/record.json`, JSON.stringify(stored));
  objects.set(`runs/${runId}/evidence/1/${JOB_MANAGER}`, 'one\ntwo\nthree\n');
  objects.set(`runs/${runId}/evidence/1/${TASK_MANAGER}`, 'task\n');
  s3.on(GetObjectCommand).callsFake(({ Bucket, Key = '' }: { Bucket: string; Key: string }) => {
    const text = Bucket === 'my-ledger' ? objects.get(Key) : undefined;
    if (text === undefined) throw new NoSuchKey({ message: 'no such key', $metadata: { httpStatusCode: 404 } });
    return { Body: { transformToString: () => Promise.resolve(text) }, ETag: '"1"' };
  });
  s3.on(ListObjectsV2Command, { Prefix: 'live/' }).resolves({ Contents: [] });
  s3.on(ListObjectsV2Command, { Prefix: 'live/', StartAfter: undefined }).resolves({ Contents: [] });
  s3.on(ListObjectsV2Command, { Prefix: 'runs/' }).resolves({ CommonPrefixes: [{ Prefix: `runs/${runId}/` }] });
});

const run = (...argv: string[]) => runCli(argv);
const ofLedger = ['--ledger', 'my-ledger'];

describe('logs --run', () => {
  it('prints the logs of a run whose cluster is gone', async () => {
    expect(await run('logs', '--run', runId, ...ofLedger)).toEqual({ code: 0, out: 'one\ntwo\nthree\n', err: '' });
    expect((await run('logs', '--run', runId, '--taskmanagers', ...ofLedger)).out).toBe('task\n');
    expect((await run('logs', '--run', runId, '--tail', '1', ...ofLedger)).out).toBe('three\n');
    const pod = JOB_MANAGER.replace(/\.log$/, '');
    expect(JSON.parse((await run('logs', '--run', runId, '--pod', pod, '--json', ...ofLedger)).out)).toEqual([
      { pod, log: 'one\ntwo\nthree\n' },
    ]);
  });

  it('reads the pod of a run that goes on, and follows it', async () => {
    const going = { ...attempt, outcome: undefined, artifacts: [JOB_MANAGER] };
    const live = { ...record, state: 'running', outcome: undefined, attempts: [going] };
    objects.set(`runs/${runId}/record.json`, JSON.stringify(live));
    const namespace = record.job?.namespace ?? '';
    const name = `${clusterId}-5d5f-abcde`;
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const metadata = {
      name,
      namespace,
      creationTimestamp: '2026-11-21T05:00:00Z',
      labels: { component: 'jobmanager' },
    };
    const pod = { metadata, spec: { containers: [{ name: 'flink-main-container' }] } };
    const kubernetes = await fakeKubernetes({
      [`GET ${pods}`]: { status: 200, body: { items: [pod] } },
      [`GET ${pods}/${name}/log`]: { status: 200, body: 'alive\n' },
    });
    const argv = ['logs', '--run', runId, '--follow', ...ofLedger];
    expect(await runCli(argv, { env: kubernetes.env })).toEqual({ code: 0, out: 'alive\n', err: '' });
    expect(kubernetes.requests.at(-1)).toContain('follow=true');
    kubernetes.close();
  });

  it.each([
    [['--previous'], new RegExp(`attempt 1 has no such log; it has: ${JOB_MANAGER}, ${TASK_MANAGER}`)],
    [['--attempt', '7'], /has no attempt 7; it has 1/],
    [['--follow'], /--follow: attempt 1 has ended, and its log is whole/],
  ])('refuses %j', async (flags, message) => {
    const { code, err } = await run('logs', '--run', runId, ...flags, ...ofLedger);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  it.each([
    [['logs', '--run', runId], /which ledger\?/],
    [['logs', '--run', 'x', ...ofLedger], /'x' is no run id/],
    [['runs', 'show', 'f'.repeat(20), ...ofLedger], /ledger my-ledger has no run f+/],
  ])('%j', async (argv, message) => {
    const { code, err } = await run(...argv);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('a ledger that cannot be read', () => {
  const failing = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 }, ...more });
  it.each([
    [failing('NoSuchBucket', 'no'), /there is no bucket my-ledger.*--ledger or FLINK_DISPATCH_LEDGER/],
    [failing('Error', 'Region is missing', { $metadata: {} }), /set AWS_REGION/],
    [
      failing('CredentialsProviderError', 'Could not load', { $metadata: {} }),
      /no AWS credentials are known: set AWS_PROFILE/,
    ],
    [
      failing('PermanentRedirect', 'elsewhere', { $response: { headers: { 'x-amz-bucket-region': 'eu-west-1' } } }),
      /set AWS_REGION=eu-west-1/,
    ],
    [failing('AuthorizationHeaderMalformed', 'wrong', { Region: 'us-east-2' }), /set AWS_REGION=us-east-2/],
    [failing('ExpiredToken', 'over'), /credentials are over.*aws sso login/],
    [
      failing('InvalidAccessKeyId', 'who?', { $metadata: { httpStatusCode: 403 } }),
      /AWS does not know these credentials/,
    ],
    [
      failing('AccessDenied', 'no', { $metadata: { httpStatusCode: 403 } }),
      /may not read s3:..my-ledger: they need s3:GetObject/,
    ],
    [
      failing('Error', 'connect ECONNREFUSED', { $metadata: {}, code: 'ECONNREFUSED' }),
      /no answer from S3: connect ECONNREFUSED/,
    ],
  ])('says what to do: %s', async (error, message) => {
    s3.on(GetObjectCommand).rejects(error);
    const { code, err } = await run('runs', 'show', runId, ...ofLedger);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(err).not.toMatch(/Internal|Retried|function's role/);
  });
});

describe('runs', () => {
  it('lists those of a ledger, the live ones or all', async () => {
    expect(await run('runs', 'list', ...ofLedger)).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringMatching(/no run/) as string,
    });
    const { out } = await run('runs', 'list', '--all', ...ofLedger);
    expect(out).toMatch(new RegExp(`^RUN +NAME +STATE +REASON +ACCEPTED\\n${runId} +${record.name} +${record.state} `));
  });

  it('shows one: what became of it, and what was kept', async () => {
    const { out } = await run('runs', 'show', runId, ...ofLedger);
    expect(out).toContain(`run ${runId} ${record.name}: ${record.state}\n`);
    expect(out).toContain(`attempt 1: cluster ${clusterId}`);
    expect(out).toContain(`\n  ${TASK_MANAGER}\n`);
    expect(JSON.parse((await run('runs', 'show', runId, '--json', ...ofLedger)).out)).toMatchObject({ runId });
  });
});

describe('runs of a tenant', () => {
  it('are listed alone, and shown by their id as any', async () => {
    objects.set(`runs/${runId}/record.json`, JSON.stringify({ ...record, tenant: 'payments' }));
    const marker = { Key: `live/payments/${runId}`, ETag: '"1"', LastModified: new Date(0) };
    s3.on(ListObjectsV2Command, { Prefix: 'live/payments/' }).resolves({ Contents: [marker] });
    s3.on(ListObjectsV2Command, { Prefix: 'live/payments/', StartAfter: marker.Key }).resolves({ Contents: [] });
    const listed = await run('runs', 'list', '--tenant', 'payments', '--json', ...ofLedger);
    expect(JSON.parse(listed.out)).toMatchObject([{ runId, tenant: 'payments' }]);
    expect((await run('runs', 'list', '--all', '--tenant', 'orders', ...ofLedger)).err).toBe('no runs\n');
    expect((await run('runs', 'show', runId, ...ofLedger)).out).toContain('of tenant payments');
  });
});

describe('what others wrote', () => {
  it('commands no terminal: neither a log, nor an explanation, nor an error', async () => {
    const evil = 'a\u001b[2J\u001b]0;title\u0007b\rc\u001b[31m';
    objects.set(`runs/${runId}/evidence/1/${JOB_MANAGER}`, `${evil}\n`);
    const outcome = { ...record.outcome, message: evil };
    objects.set(
      `runs/${runId}/record.json`,
      JSON.stringify({ ...record, attempts: [{ ...attempt, artifacts: [JOB_MANAGER] }], outcome }),
    );
    const wrote = [
      await run('logs', '--run', runId, ...ofLedger),
      await run('runs', 'show', runId, ...ofLedger),
      await run('runs', 'explain', runId, ...ofLedger),
      await run('runs', 'show', `x${evil}`, ...ofLedger),
    ];
    const texts = wrote.map(({ out, err }) => out + err);
    // eslint-disable-next-line no-control-regex
    for (const text of texts) expect(text.replaceAll('\u001b[31m', '')).not.toMatch(/[\u001b\u0007\r]/);
    expect(texts[0]).toContain('abc');
    expect(texts[3]).toContain('xabc');
  });
});
