import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/main.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { fakeIo } from './fake-io.ts';

const s3 = mockClient(S3Client);
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

async function run(...argv: string[]) {
  const io = fakeIo();
  const code = await main(argv, io, '1');
  return { code, out: io.stdout(), err: io.stderr() };
}
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

  it.each([
    [['--previous'], new RegExp(`attempt 1 has no such log; it has: ${JOB_MANAGER}, ${TASK_MANAGER}`)],
    [['--attempt', '7'], /has no attempt 7; it has 1/],
    [['--follow'], /--follow and --run do not go together/],
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
