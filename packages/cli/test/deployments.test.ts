import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import { parseDeployment } from '../../../lib/deployment/record-schema.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../../lib/deployment/record.ts';
import { jobIn, recordOf } from '../../../test/deployment/job.ts';
import { metadataOf } from '../../../test/state/metadata/recorded.ts';
import { runCli } from './run-cli.ts';
import { serve } from './stored-texts.ts';

const s3 = mockClient(S3Client);
const sqs = mockClient(SQSClient);
afterAll(() => {
  s3.restore();
  sqs.restore();
});

const ID = deploymentIdFor({ tenant: undefined, target: 'default', namespace: 'flink', name: 'orders' });
const objects = new Map<string, string>();

function request(text: string, at: number): DeploymentRequest {
  return {
    version: 1,
    deployment: ID,
    requestId: runIdFor(text),
    fingerprint: text,
    job: { ...jobIn(text), options: { password: `secret of ${text}`, 'parallelism.default': text } },
    wish: { state: 'running', nonces: {} },
    source: { kind: 'message', queueArn: 'arn:q', messageId: text },
    by: 'arn:q',
    at,
  };
}

function upgraded(requests: readonly DeploymentRequest[]): DeploymentRecord {
  const record = recordOf(requests);
  const snapshot = {
    kind: 'savepoint',
    path: `s3://state/savepoints/${ID}/x`,
    format: 'NATIVE',
    bytes: 12,
    at: 0,
  } as const;
  return {
    ...record,
    state: 'running',
    run: { id: runIdFor('run'), generation: 1, why: 'create', at: 1, runningAt: 2 },
    snapshots: [{ ordinal: 1, snapshot, why: 'upgrade', at: 0, generation: 1, restoredBy: runIdFor('run') }],
    settled: { generation: 2, reason: 'SavepointFailed', message: 'declined', choices: ['wait a while'], at: 3 },
  };
}

function store(record: DeploymentRecord): void {
  objects.set(`deployments/${record.id}/record.json`, JSON.stringify(record));
}

const stored = (): DeploymentRecord => parseDeployment(objects.get(`deployments/${ID}/record.json`) ?? '');

beforeEach(() => {
  s3.reset();
  sqs.reset();
  objects.clear();
  const requests = [request('1', 1), request('2', 2)];
  for (const one of requests) {
    objects.set(`deployments/${ID}/requests/${one.requestId}.json`, JSON.stringify(one));
  }
  store(upgraded(requests));
  serve(s3, objects);
  s3.on(PutObjectCommand).callsFake(({ Key, Body }: { Key: string; Body: string }) => {
    objects.set(Key, Body);
    return { ETag: '"2"' };
  });
  s3.on(ListObjectsV2Command, { Prefix: 'deployments/' }).resolves({
    CommonPrefixes: [{ Prefix: `deployments/${ID}/` }],
  });
  s3.on(ListObjectsV2Command, { Prefix: 'live-deployments/' }).resolves({
    Contents: [{ Key: `live-deployments/${ID}`, ETag: '"m"', LastModified: new Date(0) }],
  });
  sqs.on(SendMessageCommand).resolves({ MessageId: 'm' });
});

const run = (...argv: string[]) => runCli(['deployments', ...argv, '--ledger', 'my-ledger']);

describe('deployments', () => {
  it('are listed and shown, with what stands in the way', async () => {
    const listed = await run('list');
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(new RegExp(`${ID} +orders +default +flink +running +0 → 2`));
    expect(JSON.parse((await run('list', '--all', '--json')).out)).toMatchObject([{ id: ID, wanted: 2 }]);
    const shown = await run('show', 'orders');
    expect(shown.out).toContain('SavepointFailed, for generation 2: declined');
    expect(shown.out).toContain('what can be done: wait a while');
    expect((await run('show', ID)).out).toBe(shown.out);
  });

  it('have a history of snapshots', async () => {
    const { out } = await run('history', 'orders');
    expect(out).toMatch(/1 +savepoint native +1970-01-01T00:00:00\.000Z +12 +upgrade +1/);
    expect(out).toContain(runIdFor('run'));
  });

  it('show what is in a snapshot, by its number or path', async () => {
    const path = `s3://state/savepoints/${ID}/x`;
    const metadata = metadataOf('2.3.0', 'heap');
    const Body = { transformToByteArray: () => Promise.resolve(metadata) } as never;
    s3.on(GetObjectCommand, { Bucket: 'state' }).resolves({ Body });
    const { code, out } = await run('history', 'orders', '1');
    expect(code).toBe(0);
    expect(out).toContain(`savepoint ${path}\ncheckpoint 4, metadata of version 6\n`);
    expect(out).toMatch(/a0f90dae8f3f5f042400509da0ac0fbb +sums +sums ü 😀 +2 +8 +\d{3,}\n/);
    expect(out).toMatch(/3bb4e607b28e13484b48ecd33094c806 +- +Sink: Writer +2 +8 +-\n/);
    expect(JSON.parse((await run('history', 'orders', path, '--json')).out)).toMatchObject({ path, checkpointId: 4 });
    expect(await run('history', 'orders', '7')).toMatchObject({ code: 2 });
    s3.on(GetObjectCommand, { Bucket: 'state' }).resolves({
      Body: { transformToByteArray: () => Promise.resolve(Buffer.from('x')) } as never,
    });
    expect(await run('history', 'orders', '1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('_metadata cannot be read') as string,
    });
  });

  it.each(['1', `s3://state/savepoints/${ID}/x`])('keep a snapshot, as %s, until told otherwise', async (which) => {
    expect(await run('pin', 'orders', which)).toMatchObject({
      code: 0,
      out: `pin orders: s3://state/savepoints/${ID}/x\n`,
    });
    expect(stored().snapshots).toMatchObject([{ ordinal: 1, pinned: true }]);
    expect((await run('history', 'orders')).out).toContain('upgrade (pinned)');
    expect((await run('unpin', 'orders', which)).code).toBe(0);
    expect(stored().snapshots[0]).not.toHaveProperty('pinned');
  });

  it('keep no snapshot that is not there, or is being deleted', async () => {
    expect(await run('pin', 'orders', '7')).toMatchObject({
      code: 2,
      err: expect.stringContaining("'7': the history of orders has no such snapshot") as string,
    });
    expect(await run('pin', 'orders')).toMatchObject({ code: 2 });
    const record = stored();
    store({ ...record, snapshots: record.snapshots.map((kept) => ({ ...kept, deletingAt: 5 })) });
    expect(await run('pin', 'orders', '1')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is being deleted') as string,
    });
    expect((await run('history', 'orders')).out).toContain('upgrade (being deleted)');
  });

  it('pin a snapshot of the record that others change meanwhile', async () => {
    const write = { times: 0 };
    s3.on(PutObjectCommand).callsFake(({ Key, Body }: { Key: string; Body: string }) => {
      write.times += 1;
      if (write.times === 1)
        throw new S3ServiceException({
          name: 'PreconditionFailed',
          $fault: 'client',
          $metadata: { httpStatusCode: 412 },
        });
      objects.set(Key, Body);
      return { ETag: '"2"' };
    });
    expect((await run('pin', 'orders', '1')).code).toBe(0);
    expect(stored().snapshots[0]?.pinned).toBe(true);
  });

  it('tell in what two generations differ, without secrets', async () => {
    const { out } = await run('diff', 'orders');
    expect(out).toContain('- job.options.parallelism.default: "1"\n+ job.options.parallelism.default: "2"\n');
    expect(out).not.toContain('secret of');
    expect((await run('diff', 'orders', '1', '1')).err).toBe('generations 1 and 1 are the same\n');
    expect(await run('diff', 'orders', '7')).toMatchObject({
      code: 2,
      err: expect.stringContaining('not on record') as string,
    });
  });

  it('tell in what parallelism a generation of the same job is', async () => {
    const record = stored();
    const [, second] = record.generations;
    if (second?.scale === undefined) throw new Error('a second generation, with its scale');
    const { requestId: jobIn, scale } = second;
    const third = { ...second, number: 3, jobIn, autoscaledAt: 5, scale: { ...scale, parallelism: 6 } };
    store({ ...record, generations: [...record.generations, third], wanted: 3 });
    const { out } = await run('diff', 'orders', '2', '3');
    expect(out).toBe('- job.options.parallelism.default: "2"\n+ job.options.parallelism.default: "6"\n');
  });

  it('tell what a comparison with the state has found', async () => {
    const record = stored();
    const message = 'The new program has no operator for the state of operator a';
    const next = { id: runIdFor('next'), generation: 2, at: 1, until: 9 };
    store({ ...record, next: { ...next, checked: { at: 2, result: 'fits', path: 's3://state/x' } } });
    expect((await run('diff', 'orders')).out).toMatch(/"2"\nstate: all of it finds its operator\n$/);
    expect((await run('diff', 'orders', '2', '1')).out).not.toContain('state:');
    const settled = { generation: 2, reason: 'StateIncompatible', message, choices: [], at: 3 } as const;
    store({ ...record, settled });
    expect((await run('diff', 'orders')).out).toContain(`state: ${message}\n`);
    const json: unknown = JSON.parse((await run('diff', 'orders', '--json')).out);
    expect(json).toMatchObject({ after: 2, state: { result: 'drops', message } });
  });

  it.each([
    [['suspend'], { state: 'suspended' }],
    [['resume'], { state: 'running' }],
    [['restart'], { state: 'running', nonces: { restart: 1 } }],
    [['savepoint'], { nonces: { savepointTrigger: 1 } }],
    [['delete', '--purge'], { state: 'deleted', purge: true }],
    [['upgrade', '--from', 's3://x/y'], { initialSavepointPath: 's3://x/y', nonces: { savepointRedeploy: 1 } }],
  ])('%s makes a generation of the same job, and wakes the dispatcher', async ([command = '', ...flags], wish) => {
    const { code, out, err } = await run(command, 'orders', ...flags, '--runQueue', 'https://sqs/runs');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`${command} orders: generation 3 of deployment ${ID}\n`);
    const record = stored();
    expect(record.wanted).toBe(3);
    expect(record.generations.at(-1)).toMatchObject({ wish, job: record.generations[1]?.job });
    expect(record.generations.at(-1)?.by).toContain('by flink-dispatch');
    const [message] = sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input);
    expect(JSON.parse(message?.MessageBody ?? '')).toEqual({ version: 1, deployment: ID });
    expect([...objects.keys()]).toContain(`live-deployments/${ID}`);
  });

  it('go back to an earlier generation by its number', async () => {
    await run('upgrade', 'orders', '--to', '1');
    const { generations } = stored();
    expect(generations.at(-1)).toMatchObject({ number: 3, job: generations[0]?.job });
    const missing = await run('upgrade', 'orders', '--to', '9');
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('there are 1, 2, 3') as string });
  });

  describe('are rolled back', () => {
    const left = { kind: 'savepoint', path: `s3://state/savepoints/${ID}/x` } as const;
    /** The first generation was stable, and the second one has failed. */
    function failed(): void {
      const rest = omit(stored(), 'run', 'settled');
      const last = { id: runIdFor('run'), generation: 2 };
      store({ ...rest, state: 'blocked', last, newest: left, stable: { generation: 1, at: 1, left } });
    }

    it('to what was stable last, with its state', async () => {
      failed();
      const { code } = await run('rollback', 'orders');
      expect(code).toBe(0);
      const { generations } = stored();
      expect(generations[1]?.rejected).toMatchObject({ reason: 'NotStable' });
      const wish = { initialSavepointPath: left.path, nonces: { savepointRedeploy: 1 } };
      expect(generations.at(-1)).toMatchObject({ number: 3, job: generations[0]?.job, rollbackOf: 2, wish });
      expect((await run('show', 'orders')).out).toMatch(
        /generation 1 was stable last, which left s3.*[\s\S]* rejected /,
      );
    });

    it('to a snapshot of the history by its number, when it is said that what came after is done again', async () => {
      failed();
      store({ ...stored(), newest: { ...left, path: 's3://state/newer' } });
      const refused = await run('rollback', 'orders', '--to', '1');
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--accept-duplicates') as string });
      expect((await run('rollback', 'orders', '--to', '1', '--accept-duplicates')).code).toBe(0);
      expect(stored().generations.at(-1)?.wish.initialSavepointPath).toBe(left.path);
    });

    it.each([
      [['--to', '7'], 2, /has no such snapshot/],
      [['--to', 'x'], 2, /is no path of a snapshot/],
      [[], 1, /no other generation than the wanted one was stable last/],
    ])('never by %j', async (flags, code, message) => {
      expect(await run('rollback', 'orders', ...flags)).toMatchObject({
        ...{ code, err: expect.stringMatching(message) as string },
      });
    });
  });

  it('are found by the sweeper without a queue, and the command says so', async () => {
    expect((await run('suspend', 'orders')).err).toContain('within three minutes');
    expect(sqs.commandCalls(SendMessageCommand)).toEqual([]);
  });

  it.each([
    [['show', 'nobody'], 2, /has no deployment 'nobody'/],
    [['show'], 2, /deployments show <deployment>/],
    [['upgrade', 'orders', '--to', 'x'], 2, /is no generation/],
    [['upgrade', 'orders', '--from', 'y'], 2, /is no path of a snapshot/],
  ])('say what is wrong with %j', async (argv, code, message) => {
    expect(await run(...argv)).toMatchObject({ code, err: expect.stringMatching(message) as string });
  });

  it('that are deleted take no order', async () => {
    store({ ...stored(), state: 'deleted' });
    expect(await run('resume', 'orders')).toMatchObject({
      code: 1,
      err: expect.stringContaining('send its spec again') as string,
    });
  });
});
