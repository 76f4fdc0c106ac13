import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import { accept, foreseeRun } from '../../../lib/dispatch/accept.ts';
import { callbackOf } from '../../../lib/run/callbacks.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { jobMessage, QUEUE_ARN } from '../world/simulated.ts';
import { Asking } from './asking.ts';

let asking: Asking;
const take = (request: RunRequest, again?: Parameters<typeof accept>[2]) => accept(request, asking.deps, again);
const letters = () => asking.deadLetters.letters;
const idOf = ({ identity }: RunRequest) => runIdFor(identity);
const record = (request: RunRequest) => asking.ledger.records.find(({ runId }) => runId === idOf(request));
const REFUSED = { job: { jarURI: 'local:///opt/job.jar', nothing: 1 } };

beforeEach(() => {
  asking = new Asking();
});

describe('a request', () => {
  it('is a run with all that was asked for, and a message for its first step', async () => {
    const request = { ...jobMessage({}), tag: 'nightly', taskToken: 'a token' };
    const runId = idOf(request);
    expect(await take(request)).toEqual({ runId, result: 'accepted' });
    const { now } = asking;
    expect(record(request)).toMatchObject({
      ...{ version: 1, runId, state: 'accepted', name: 'word-count', source: request.source, attempts: [] },
      ...{ createdAt: now, updatedAt: now, step: { number: 1, dueAt: now }, asked: { spec: request.spec } },
      ...{ tag: 'nightly', callbacks: [callbackOf('a token')] },
      events: [{ sequence: 1, type: 'accepted', time: now }],
    });
    expect(record(request)).not.toHaveProperty('again');
    expect(asking.sent).toEqual([{ message: { version: 1, runId, step: 1 }, delay: 0 }]);
    expect([letters(), asking.told]).toEqual([[], []]);
    expect(asking.logged).toEqual([`info run accepted {"runId":"${runId}","name":"word-count"}`]);
  });

  it('that comes again changes nothing, and is sent again while nobody has taken its first step', async () => {
    const request = jobMessage({});
    asking.faults.plan('send', 'before');
    await expect(take(request)).rejects.toMatchObject({ retryable: true });
    expect(await take(request)).toEqual({ runId: idOf(request), result: 'duplicate' });
    expect([asking.ledger.writes.length, asking.pinned.length]).toEqual([1, 1]);
    expect(asking.sent).toEqual([{ message: { version: 1, runId: idOf(request), step: 1 }, delay: 0 }]);
    const [stored] = asking.ledger.records;
    if (stored === undefined) throw new Error('no run');
    const { version = '' } = (await asking.ledger.read(stored.runId)) ?? {};
    await asking.ledger.replace({ ...stored, step: { number: 2, dueAt: 0 } }, version);
    await take(request);
    expect(asking.sent).toHaveLength(1);
  });

  it('that comes twice at once is one run', async () => {
    const request = jobMessage({});
    const results = await Promise.all([take(request), take(request)]);
    expect(results.map(({ result }) => result)).toEqual(['accepted', 'duplicate']);
    expect(asking.ledger.writes).toHaveLength(1);
  });

  it('that is done again says of which run, and how', async () => {
    const request = jobMessage({});
    const of = runIdFor('first');
    await take(request, { of });
    expect(record(request)?.again).toEqual({ of, exactly: false });
    const [job] = asking.ledger.records.flatMap((run) => run.job ?? []);
    if (job === undefined) throw new Error('no job');
    const pinned = { bucket: 'ledger', key: 'jars/sha256/a', sha256: 'a', size: 1 };
    const exactly = { job: { ...job, jar: { ...job.jar, pinned } }, image: 'flink@sha256:a' };
    const second = jobMessage({});
    expect(await take(second, { of, exactly })).toMatchObject({ result: 'rejected' });
    expect(record(second)?.again).toEqual({ of, exactly: true });
  });
});

describe('a request that is refused', () => {
  it('is a run that has ended, and a dead letter', async () => {
    const request = { ...jobMessage(REFUSED), body: 'as it came' };
    expect(await take(request)).toEqual({ runId: idOf(request), result: 'rejected' });
    const outcome = { state: 'rejected', reason: 'InvalidSpec', field: 'job.nothing', at: asking.now, evidence: [] };
    expect(record(request)).toMatchObject({ state: 'ended', outcome, events: [{ type: 'completed' }] });
    const { message = '' } = record(request)?.outcome ?? {};
    const letter = { body: 'as it came', source: QUEUE_ARN, reason: 'InvalidSpec', message, field: 'job.nothing' };
    expect(letters()).toEqual([letter]);
    expect(asking.sent).toHaveLength(1);
    expect(asking.logged).toEqual([
      `info run rejected {"runId":"${idOf(request)}","name":"word-count","reason":"InvalidSpec"}`,
    ]);
    await take(request);
    expect(letters()).toEqual([letter, letter]);
  });

  it('has what it asked for in its dead letter where nobody has its text', async () => {
    const request = jobMessage(REFUSED);
    await take(request);
    expect(letters()[0]?.body).toBe(JSON.stringify(request.spec));
    await take({ ...omit(jobMessage({}), 'spec'), job: 'unknown job' });
    expect(letters()[1]?.body).toBe('{"runJob":"unknown job"}');
  });

  it('is answered, and not kept, where somebody waits for the answer', async () => {
    await expect(take({ ...jobMessage(REFUSED), isAnswered: true })).rejects.toMatchObject({ reason: 'InvalidSpec' });
    expect([asking.ledger.writes, letters(), asking.sent]).toEqual([[], [], []]);
  });

  it('comes again when a storage gives no answer', async () => {
    asking.faults.plan('pin', 'before');
    await expect(take(jobMessage({}))).rejects.toMatchObject({ reason: 'StorageUnavailable' });
    asking.faults.plan('pin', 'before', new Error('a defect'));
    await expect(take(jobMessage({}))).rejects.toThrow('a defect');
    expect(asking.ledger.writes).toEqual([]);
  });

  it('has no dead letter where it is no message, or was refused later', async () => {
    const source = { kind: 'schedule', schedule: 'nightly', scheduledTime: asking.now } as const;
    const request = { ...jobMessage(REFUSED), source };
    await take(request);
    const good = jobMessage({});
    await take(good);
    const { value, version } = (await asking.ledger.read(idOf(good))) ?? {};
    if (value === undefined || version === undefined) throw new Error('no run');
    const outcome = { state: 'canceled', reason: 'JobCanceled', message: 'm', at: 0, evidence: [] };
    await asking.ledger.replace({ ...value, state: 'ended', outcome } as typeof value, version);
    await take(good);
    expect(letters()).toEqual([]);
  });

  it('is skipped when its schedule fired too long ago', async () => {
    const source = { kind: 'schedule', schedule: 'nightly', scheduledTime: asking.now - 2_000 } as const;
    const request: RunRequest = { ...jobMessage({}), source, startingDeadline: 1_000 };
    expect(await take(request)).toEqual({ runId: idOf(request), result: 'skipped' });
    const outcome = { state: 'skipped', reason: 'StartingDeadlineMissed', at: asking.now, evidence: [] };
    expect(record(request)).toMatchObject({ name: 'word-count', outcome });
    expect(asking.pinned).toEqual([]);
    expect(await take({ ...jobMessage({}), source, startingDeadline: 2_000 })).toMatchObject({ result: 'accepted' });
  });
});

describe('the same key with another payload', () => {
  const first = jobMessage({}, 'key');
  const second = jobMessage({ name: 'another' }, 'key');

  it('is refused under an id of its own, once', async () => {
    await take(first);
    const refused = await take(second);
    expect(refused.result).toBe('rejected');
    expect(refused.runId).not.toBe(idOf(first));
    const message = `run ${idOf(first)} has the same idempotency key and another payload`;
    expect(letters()).toMatchObject([{ reason: 'IdempotencyConflict', field: 'idempotencyKey', message }]);
    const stored = asking.ledger.records.find(({ runId }) => runId === refused.runId);
    expect(stored).toMatchObject({ name: 'another', outcome: { message, field: 'idempotencyKey' } });
    expect(await take(second)).toEqual({ runId: refused.runId, result: 'duplicate' });
    expect([asking.ledger.writes.length, letters().length]).toEqual([2, 2]);
    expect(record(first)?.outcome).toBeUndefined();
  });

  it('is answered where somebody waits for the answer', async () => {
    await take(first);
    const refused = { reason: 'IdempotencyConflict', message: expect.stringContaining('another payload') as string };
    await expect(take({ ...second, isAnswered: true })).rejects.toMatchObject(refused);
    await expect(foreseeRun(second, asking.deps)).rejects.toMatchObject(refused);
    expect(asking.ledger.writes).toHaveLength(1);
  });

  const upload = { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', versionId: '1', eventTime: 1 } as const;
  it.each<[string, Partial<RunRequest>, boolean]>([
    ['the bucket', { source: { ...upload, bucket: 'other' } }, true],
    ['the key', { source: { ...upload, key: 'b.jar' } }, true],
    ['the version', { source: { ...upload, versionId: '2' } }, true],
    ['the time of the event', { source: { ...upload, eventTime: 2 } }, false],
    ['the stored job', { source: upload, job: 'stored' }, true],
    ['the spec', { source: upload, spec: {} }, true],
  ])('is told by %s', async (_, change, differs) => {
    const request = { source: upload, identity: 'upload' };
    await take(request);
    const results = await take({ ...request, ...change });
    expect(results.result).toBe(differs ? 'rejected' : 'duplicate');
  });

  it('is the same as before where only the order of its fields is another', async () => {
    const spec = { b: 1, a: 2 };
    const request = { ...jobMessage({}, 'order'), spec };
    await take(request);
    expect(await take({ ...request, spec: { a: 2, b: 1 } })).toMatchObject({ result: 'duplicate' });
  });
});

describe('the jar of a request', () => {
  const pinned = { bucket: 'ledger', key: 'jars/sha256/a', sha256: 'a'.repeat(64), size: 1 };

  it('is kept with the run', async () => {
    asking.pin = (jar) => ({ ...jar, pinned });
    const request = jobMessage({});
    await take(request);
    expect(record(request)?.job?.jar).toMatchObject({ uri: 'local:///opt/job.jar', pinned });
  });

  it.each([
    ['a'.repeat(64), 'accepted'],
    ['b'.repeat(64), 'rejected'],
  ])('has to have the checksum %s: %s', async (jarSha256, result) => {
    asking.pin = (jar) => ({ ...jar, sha256: jarSha256, pinned });
    const request = jobMessage({});
    expect(await take(request)).toMatchObject({ result });
    asking.pin = (jar) => ({ ...jar, sha256: jarSha256 });
    expect(await take(jobMessage({}))).toMatchObject({ result: 'accepted' });
    const refused = { reason: 'JarChecksumMismatch', field: 'job.jarSha256' };
    if (result === 'rejected') expect(letters()).toMatchObject([refused]);
  });
});

describe('what a request would become', () => {
  it('is told without writing anything', async () => {
    const request = jobMessage({});
    expect(await foreseeRun(request, asking.deps)).toMatchObject({ isKnown: false, job: { name: 'word-count' } });
    await take(request);
    expect(await foreseeRun(request, asking.deps)).toMatchObject({ isKnown: true });
    expect([asking.ledger.writes.length, asking.pinned.length]).toEqual([1, 1]);
    await expect(foreseeRun(jobMessage(REFUSED), asking.deps)).rejects.toMatchObject({ reason: 'InvalidSpec' });
  });
});
