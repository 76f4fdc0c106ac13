import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../../lib/core/ids.ts';
import { omit } from '../../../../lib/core/omit.ts';
import type { RunRecord } from '../../../../lib/run/record.ts';
import { createS3Ledger } from '../../../../lib/run/store/s3-ledger.ts';
import type { FakeS3 } from '../../../../test/fakes/s3.ts';
import { sampleRecord } from '../../../../test/fixtures/records/load.ts';
import { serveS3 } from './fake-ledger.ts';
import { runCli } from '../run-cli.ts';

const s3 = mockClient(S3Client);
const sqs = mockClient(SQSClient);
const stacks = mockClient(CloudFormationClient);
const folder = mkdtempSync(join(tmpdir(), 'run-operations-'));
afterAll(() => {
  for (const mock of [s3, sqs, stacks]) mock.restore();
  rmSync(folder, { recursive: true });
});

const SPEC = join(folder, 'job.yaml');
writeFileSync(SPEC, 'name: nightly\nimage: flink:2.3.0\njob: { jarURI: local:///opt/job.jar, entryClass: a.B }\n');
const ENV = {
  FLINK_DISPATCH_LEDGER: 'ledger',
  FLINK_DISPATCH_QUEUE: 'https://sqs.eu-central-1.amazonaws.com/111122223333/messages',
  FLINK_DISPATCH_JARS: 'jars',
};
const SAMPLE = sampleRecord();
const { runId } = SAMPLE;

let fake: FakeS3;
const run = (...argv: string[]) => runCli(argv, { env: ENV });
const ledger = () => createS3Ledger(fake.bucket);
const running = (changes: Partial<RunRecord> = {}): RunRecord =>
  ({ ...omit({ ...SAMPLE }, 'outcome'), state: 'running', createdAt: 1_000_000, ...changes }) as RunRecord;

async function ends(state: 'succeeded' | 'failed' | 'canceled' | 'rejected' | 'unknown'): Promise<void> {
  const stored = await ledger().read(runId);
  if (stored === undefined) throw new Error('no record');
  const outcome = { ...SAMPLE.outcome, state };
  await ledger().replace({ ...stored.value, state: 'ended', outcome }, stored.version, stored.value);
}

beforeEach(() => {
  fake = serveS3(s3);
  sqs.reset();
  stacks.reset();
});

describe('events tail', () => {
  it('prints each event once, until the run has ended', async () => {
    const events = [
      { sequence: 1, type: 'accepted', time: 1_000_000 },
      { sequence: 2, type: 'started', time: 2_000_000, attempt: 1 },
    ] as const;
    await ledger().create(running({ events }));
    const tail = run('events', 'tail', runId);
    const all = [...events, { sequence: 3, type: 'completed', time: 3_000_000, attempt: 1 } as const];
    const stored = await ledger().read(runId);
    if (stored === undefined) throw new Error('no record');
    const ended = { ...stored.value, state: 'ended', outcome: SAMPLE.outcome, events: all } as RunRecord;
    await ledger().replace(ended, stored.version, stored.value);
    const { code, out } = await tail;
    expect([
      code,
      out
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ]).toEqual([0, ['1970-01-01T00:16:40.000Z', '1970-01-01T00:33:20.000Z', '1970-01-01T00:50:00.000Z']]);
    const json = (await run('events', 'tail', runId, '--json')).out.trim().split('\n');
    expect(json.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([1, 2, 3]);
  });

  it('of no run is refused at once', async () => {
    expect((await run('events', 'tail', '0123456789abcdef0123')).code).toBe(2);
    expect((await run('events', 'tail')).code).toBe(2);
  });
});

describe('runs wait', () => {
  it.each([
    ['succeeded', 0],
    ['failed', 1],
    ['canceled', 3],
    ['rejected', 4],
    ['unknown', 5],
  ] as const)('that ended as %s exits with %i', async (state, code) => {
    await ledger().create(running());
    await ends(state);
    const { code: exit, out } = await run('runs', 'wait', runId);
    expect([exit, out]).toEqual([code, expect.stringContaining(`${state}: ${SAMPLE.outcome.reason}`)]);
  });

  it('gives up when its time is over, and at once where there is no such run', async () => {
    await ledger().create(running());
    expect(await run('runs', 'wait', runId, '--timeout', '30s')).toMatchObject({ code: 124, out: '' });
    const { code, err } = await run('runs', 'wait', runIdFor('nobody'));
    expect([code, err]).toEqual([2, expect.stringMatching(/there is no run '\w+'; the ledger is ledger/)]);
    expect((await run('runs', 'wait', runId, '--timeout', 'soon')).err).toMatch(/--timeout soon: must be a duration/);
  });
});

describe('runs cancel', () => {
  it('is on record, again changes nothing, and of a run that has ended is no error', async () => {
    await ledger().create(running());
    expect(await run('runs', 'cancel', runId)).toMatchObject({
      code: 0,
      out: `${runId} ${SAMPLE.name} is asked to stop\n`,
    });
    const asked = (await ledger().read(runId))?.value.cancelRequested;
    expect(asked).toMatchObject({ reason: 'JobCanceled', by: expect.stringMatching(/, by flink-dispatch$/) as string });
    expect((await run('runs', 'cancel', runId.slice(0, 8))).code).toBe(0);
    expect((await ledger().read(runId))?.value.cancelRequested).toEqual(asked);
    await ends('canceled');
    expect((await run('runs', 'cancel', runId)).out).toContain('has ended already');
  });

  it('tells the run queue at once, where it is known', async () => {
    stacks.on(DescribeStacksCommand, { StackName: 'prod' }).resolves({
      Stacks: [
        {
          ...{ StackName: 'prod', CreationTime: new Date(), StackStatus: 'CREATE_COMPLETE' },
          Outputs: [
            { OutputKey: 'LedgerBucketName', OutputValue: 'ledger' },
            { OutputKey: 'RunQueueUrl', OutputValue: 'https://sqs.test/runs' },
          ],
        },
      ],
    });
    await ledger().create(running());
    expect((await runCli(['runs', 'cancel', runId, '--stack', 'prod'])).code).toBe(0);
    expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input.QueueUrl).toBe('https://sqs.test/runs');
  });

  it.each(['stop', 'savepoint'])('%s of a run without state says what to do', async (kind) => {
    await ledger().create(running());
    const { code, err } = await run('runs', kind, runId);
    expect([code, err]).toEqual([1, expect.stringMatching(/InvalidSpec: run \w+ \(.*\) keeps no state: cancel it/)]);
  });
});

describe('runs start', () => {
  /** What the function does with the message. */
  function accepting(changes: Partial<Pick<typeof SAMPLE, 'state' | 'outcome'>> = {}): void {
    sqs.on(SendMessageCommand).callsFake(async ({ MessageBody = '' }: { MessageBody: string }) => {
      const { idempotencyKey } = JSON.parse(MessageBody) as { idempotencyKey: string };
      await ledger().create(running({ runId: runIdFor('older'), name: 'older' }));
      const source = { kind: 'message', queueArn: 'arn', messageId: 'm', idempotencyKey } as const;
      await ledger().create({ ...running({ source }), ...changes } as RunRecord);
      return { MessageId: 'm' };
    });
  }

  it('sends the spec with a key, and prints the id of its run', async () => {
    accepting();
    expect(await run('runs', 'start', '-f', SPEC, '--key', 'today')).toEqual({ code: 0, out: `${runId}\n`, err: '' });
    const [sent] = sqs.commandCalls(SendMessageCommand);
    expect(JSON.parse(sent?.args[0].input.MessageBody ?? '')).toMatchObject({
      idempotencyKey: 'today',
      spec: { name: 'nightly' },
    });
  });

  it.each([[[]], [['--wait']]])('%j says why it was rejected, and exits as the outcome does', async (flags) => {
    const outcome = { ...SAMPLE.outcome, state: 'rejected', reason: 'NotAllowed', message: 'no' } as const;
    accepting({ state: 'ended', outcome });
    const { code, out, err } = await run('runs', 'start', '--job', 'nightly', ...flags);
    expect([code, out + err]).toEqual([4, expect.stringContaining('rejected: NotAllowed: no\n')]);
  });

  it('uploads a jar behind its spec, and finds the run of that upload', async () => {
    const jar = join(folder, 'job.jar');
    writeFileSync(jar, 'PK');
    const puts: string[] = [];
    fake.onPut = ({ key }) => void puts.push(key);
    const source = { kind: 'jar-upload', bucket: 'jars', key: 'team/job.jar', eventTime: 0, eTag: 'x' } as const;
    await ledger().create(running({ source }));
    const { code, err } = await run('runs', 'start', '--jar', jar, '-f', SPEC, '--prefix', 'team/');
    expect([code, err]).toEqual([1, expect.stringMatching(/became no run within 60 s/)]);
    expect(puts.filter((key) => key.startsWith('team/'))).toEqual(['team/job.jar.job.yaml']);
    expect(fake.keys('jars/')).toEqual(['jars/team/job.jar', 'jars/team/job.jar.job.yaml']);
  });

  it.each([
    [[], /what is to run\? Give -f spec.yaml/],
    [['-f', join(folder, 'missing.yaml')], /missing.yaml/],
    [['--jar', SPEC], /only names that end with .jar, .sql, .py start runs/],
    [['--jar', 'x.jar', '--job', 'y'], /a stored job names its jar itself/],
    [['-f', SPEC, 'more'], /takes no arguments/],
  ])('refuses %j before anything is sent', async (flags, message) => {
    const { code, err } = await run('runs', 'start', ...flags);
    expect([code > 0, err]).toEqual([true, expect.stringMatching(message)]);
    expect(sqs.commandCalls(SendMessageCommand)).toEqual([]);
  });

  it('refuses a spec with a field that is none, naming it', async () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'name: x\njobb: {}\n');
    const { code, err } = await run('runs', 'start', '-f', file);
    expect([code, err]).toEqual([1, expect.stringMatching(/jobb/)]);
  });
});

describe('jobs', () => {
  it('are stored once they are specs, listed, and printed as they are', async () => {
    expect((await run('jobs', 'put', 'nightly', '-f', SPEC)).out).toBe('s3://ledger/jobs/nightly.yaml\n');
    await run('jobs', 'put', 'theirs', '-f', SPEC, '--tenant', 'payments');
    expect((await run('jobs', 'list')).out).toBe('nightly\n');
    expect((await run('jobs', 'list', '--tenant', 'payments')).out).toBe('theirs\n');
    expect((await run('jobs', 'get', 'nightly')).out).toContain('name: nightly\n');
    expect((await run('jobs', 'get', 'other')).err).toMatch(/no stored job 'other' at s3:\/\/ledger\/jobs\/other.yaml/);
    expect((await run('jobs', 'put', '../x', '-f', SPEC)).err).toMatch(/cannot be a stored job's name/);
  });
});

describe('which installation', () => {
  it('is asked for where nothing names it, and a stack that is not there is named', async () => {
    expect((await runCli(['runs', 'list'])).err).toMatch(
      /which ledger\? Give --ledger, .*--stack or FLINK_DISPATCH_STACK/,
    );
    stacks.rejects(Object.assign(new Error('does not exist'), { name: 'ValidationError' }));
    expect((await runCli(['runs', 'list', '--stack', 'nope'])).err).toMatch(
      /the stack nope cannot be read .*does not exist/,
    );
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('of %s knows every command and its flags', async (shell) => {
    const { code, out } = await run('completion', shell);
    expect(code).toBe(0);
    for (const word of ['runs', 'start', 'deployments', 'timeout']) expect(out).toContain(word);
  });

  it('refuses another shell', async () => {
    expect((await run('completion', 'csh')).err).toMatch(/one of: bash, zsh, fish/);
  });
});
