import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
  type ListObjectsV2CommandInput,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleRecord } from '../../../../test/fixtures/records/load.ts';
import { runIdFor } from '../../../../lib/core/ids.ts';
import { rowOf, rowText } from '../../../../lib/run/row.ts';
import { main } from '../../src/main.ts';
import { fakeIo } from '../fake-io.ts';
import { fakeKubernetes } from '../fake-kubernetes.ts';
import { runCli } from '../run-cli.ts';

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
  s3.on(ListObjectsV2Command).callsFake(({ Prefix = '', StartAfter = '', Delimiter }: ListObjectsV2CommandInput) => {
    const keys = [...objects.keys()].filter((key) => key.startsWith(Prefix) && key > StartAfter).sort();
    if (Delimiter === undefined) return { Contents: keys.map((Key) => ({ Key, LastModified: new Date(0) })) };
    const folders = keys.map((key) => key.slice(0, key.indexOf(Delimiter, Prefix.length) + 1));
    return { CommonPrefixes: [...new Set(folders)].map((folder) => ({ Prefix: folder })) };
  });
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
    [['runs', 'show', 'f'.repeat(20), ...ofLedger], /there is no run 'f+'; the ledger is my-ledger/],
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
      /no answer from AWS: connect ECONNREFUSED/,
    ],
  ])('says what to do: %s', async (error, message) => {
    s3.on(GetObjectCommand).rejects(error);
    const { code, err } = await run('runs', 'show', runId, ...ofLedger);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(err).not.toMatch(/Internal|Retried|function's role/);
  });
});

describe('runs', () => {
  const indexed = (changes: Partial<typeof record>): void =>
    void objects.set(`index/rows/${rowText(rowOf({ ...record, ...changes }))}`, '');
  const list = async (...flags: string[]): Promise<string> => (await run('runs', 'list', ...flags, ...ofLedger)).out;

  it('lists those of a ledger, the newest first, by what is asked for', async () => {
    expect(await run('runs', 'list', ...ofLedger)).toEqual({ code: 0, out: '', err: 'no such runs\n' });
    indexed({});
    indexed({ runId: runIdFor('later'), name: 'later', createdAt: record.createdAt + 1, tenant: 'payments' });
    expect(await list('--all')).toMatch(/^RUN +NAME +STATE +REASON +ACCEPTED\n\w+ +later .*\n\w+ +/);
    expect(await list('-o', 'name')).toBe(`${runIdFor('later')}\n${runId}\n`);
    expect(await list('-o', 'name', '--name', 'lat*')).toBe(`${runIdFor('later')}\n`);
    expect(await list('-o', 'name', '--tenant', 'payments')).toBe(`${runIdFor('later')}\n`);
    expect(await list('-o', 'name', '--limit', '1')).toBe(`${runIdFor('later')}\n`);
    expect(await list('--live')).toBe('');
    expect(await list('-o', 'wide')).toMatch(/TENANT +ATTEMPTS +TOOK\n.* payments +2 +/);
    expect(await list('-o', 'yaml')).toMatch(/^- runId: \w+\n +tenant: payments\n/);
    expect(JSON.parse(await list('--json', '--state', record.outcome?.state ?? ''))).toHaveLength(2);
  });

  it('goes on with a line for each run that is new, until it is interrupted', async () => {
    indexed({});
    const io = fakeIo();
    const changes = [
      () => indexed({ runId: runIdFor('later'), name: 'later', createdAt: record.createdAt + 1 }),
      () => undefined,
      () => io.interrupt(),
    ];
    const sleep = (ms: number) => io.clock.sleep(ms).then(() => changes.shift()?.());
    const argv = ['runs', 'list', '--watch', '-o', 'name', ...ofLedger];
    expect(await main(argv, { ...io, clock: { ...io.clock, sleep } }, '1')).toBe(0);
    expect(io.stdout()).toBe(`${runId}\n${runIdFor('later')}\n`);
  });

  it.each([
    [['--state', 'runing'], /state 'runing' is none: did you mean 'running'\?/],
    [['--reason', 'JobFaild'], /did you mean 'JobFailed'/],
    [['--since', 'yesterday'], /since 'yesterday' must be a duration such as 2h/],
    [['--limit', '0'], /limit '0' must be a number of runs/],
    [['-o', 'xml'], /--output xml: must be one of wide, json, yaml, name/],
  ])('refuses %j', async (flags, message) => {
    const { code, err } = await run('runs', 'list', ...flags, ...ofLedger);
    expect(code).toBeGreaterThan(0);
    expect(err).toMatch(message);
  });

  it('takes the beginning of an id for the run, where it is the only one', async () => {
    expect((await run('runs', 'show', runId.slice(0, 6), ...ofLedger)).out).toContain(`run ${runId} `);
    const other = `${runId.slice(0, 6)}${'f'.repeat(14)}`;
    objects.set(`runs/${other}/record.json`, JSON.stringify({ ...record, runId: other }));
    const { code, err } = await run('runs', 'show', runId.slice(0, 6), ...ofLedger);
    expect([code, err]).toEqual([2, expect.stringMatching(`begin so: ${runId}, ${other}`)]);
    expect((await run('runs', 'show', 'abcdef0', ...ofLedger)).err).toMatch(/there is no run 'abcdef0'/);
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
  it('are shown by their id as any', async () => {
    objects.set(`runs/${runId}/record.json`, JSON.stringify({ ...record, tenant: 'payments' }));
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
