import type { SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { handler as advanceRun } from '../../functions/advance-run.ts';
import { handler as onJarUpload } from '../../functions/on-jar-upload.ts';
import { handler as onMessage } from '../../functions/on-message.ts';
import { handler as onSchedule } from '../../functions/on-schedule.ts';
import { handler as sweepRuns } from '../../functions/sweep-runs.ts';
import { RUN_ID_ANNOTATION, ATTEMPT_ANNOTATION } from '../../lib/kubernetes/cluster/owner-metadata.ts';
import { json, scriptedServer, type ScriptedServer } from '../kubernetes/api-server.ts';
import { jarFixture } from '../job/jar/memory-objects.ts';
import {
  CONTEXT,
  DEAD_LETTERS,
  eTagOf,
  eventFixture,
  failPut,
  objectPaths,
  publishedEvents,
  putObject,
  records,
  resetAws,
  RUNS,
  sentTo,
  setEnvironment,
} from './aws.ts';

const NIGHTLY = 'name: nightly\njob: { jarURI: local:///opt/job.jar, entryClass: a.B }';
const JAR = jarFixture('main-class');
const KEY = 'nightly/Word Count +ü.jar';

/** What the API server lists: by path, one answer. */
let deployments: readonly unknown[] = [];
let api: ScriptedServer;
let restore: () => void;

beforeAll(async () => {
  api = await scriptedServer(({ method, url }, response) => {
    const items = method === 'GET' && url.pathname.endsWith('/deployments') ? deployments : [];
    json(response, 200, { kind: 'List', apiVersion: 'v1', metadata: {}, items });
  });
  restore = setEnvironment(api.url);
});

beforeEach(() => {
  deployments = [];
  resetAws();
  putObject('ledger/jobs/nightly.yaml', NIGHTLY);
});

afterAll(async () => {
  restore();
  await api.close();
});

/** The event with the e-tag of the jar that the tests upload. */
function uploadEvent(name: string): unknown {
  const text = JSON.stringify(eventFixture(name));
  return JSON.parse(text.replaceAll('d41d8cd98f00b204e9800998ecf8427e', eTagOf(JAR)));
}

function runMessages(...bodies: readonly string[]): SQSEvent {
  const Records = bodies.map((body, index) => ({
    messageId: `run-${index}`,
    body,
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:runs',
  }));
  return { Records } as unknown as SQSEvent;
}

describe('on-message', () => {
  it('accepts each good record beside bad ones, which become dead letters with their reason', async () => {
    const response = await onMessage(eventFixture('sqs-messages'), CONTEXT);
    expect(response).toEqual({ batchItemFailures: [] });
    expect(records().map(({ name, state }) => [name, state])).toEqual(
      expect.arrayContaining(['basic-example', 'nightly', 'wordcount'].map((name) => [name, 'accepted'])),
    );
    expect(sentTo(RUNS)).toHaveLength(3);
    expect(sentTo(DEAD_LETTERS)).toHaveLength(2);
    const bodies = sentTo(DEAD_LETTERS).map(({ body, attributes }) => [attributes['reason'], body]);
    expect(bodies).toContainEqual(['MalformedRequest', 'this is no object']);
  });

  it('has only the record delivered again that storage did not take', async () => {
    failPut(/^(runs|live)\//);
    const response = await onMessage(eventFixture('sqs-messages'), CONTEXT);
    const ids = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier.slice(-1));
    expect(ids).toEqual(['1', '2', '3']);
    expect(sentTo(RUNS)).toEqual([]);
  });

  it('accepts a message once', async () => {
    const event = eventFixture('sqs-messages');
    await onMessage(event, CONTEXT);
    const before = records();
    await onMessage(event, CONTEXT);
    expect(records()).toEqual(before);
  });
});

describe('on-jar-upload', () => {
  it.each(['s3-notification', 'eventbridge-object-created'])('accepts a run of the jar of %s', async (name) => {
    putObject(`jars/${KEY}`, JAR);
    expect(await onJarUpload(uploadEvent(name), CONTEXT)).toEqual({ batchItemFailures: [] });
    const [record] = records();
    expect(record).toMatchObject({ state: 'accepted', source: { kind: 'jar-upload', bucket: 'jars', key: KEY } });
    expect(record?.job).toMatchObject({ entryClass: 'org.example.Job', jar: { s3: { bucket: 'jars', key: KEY } } });
    expect(sentTo(RUNS).map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { version: 1, runId: record?.runId, step: 1 },
    ]);
  });

  it('accepts one run for one upload, whichever way SQS tells of it, beside what is wrong', async () => {
    putObject(`jars/${KEY}`, JAR);
    const response = await onJarUpload(uploadEvent('sqs-uploads'), CONTEXT);
    expect(response.batchItemFailures).toEqual([]);
    const found = records().map(({ name, state, outcome }) => [name, state, outcome?.reason]);
    expect(found.sort()).toEqual([
      ['good', 'ended', 'JarNotFound'],
      ['word-count-u', 'accepted', undefined],
    ]);
    expect(sentTo(DEAD_LETTERS).map(({ attributes }) => attributes['reason'])).toEqual([
      'MalformedRequest',
      'MalformedRequest',
    ]);
  });

  it('ignores what S3 sends to test and what was removed', async () => {
    for (const name of ['s3-test-event', 's3-notification-removed', 'eventbridge-object-deleted']) {
      expect(await onJarUpload(eventFixture(name), CONTEXT)).toEqual({ batchItemFailures: [] });
    }
    expect(records()).toEqual([]);
    expect(sentTo(DEAD_LETTERS)).toEqual([]);
  });

  it('fails as a whole where only that has the event delivered again', async () => {
    putObject(`jars/${KEY}`, JAR);
    failPut(/^(runs|live)\//);
    await expect(onJarUpload(uploadEvent('s3-notification'), CONTEXT)).rejects.toMatchObject({
      reason: 'StorageUnavailable',
    });
  });
});

describe('on-schedule', () => {
  it('accepts one run of the stored job for each scheduled time', async () => {
    const event = eventFixture('schedule') as object;
    expect(await onSchedule(event, CONTEXT)).toMatchObject({ result: 'accepted' });
    expect(await onSchedule(event, CONTEXT)).toMatchObject({ result: 'duplicate' });
    expect(await onSchedule({ ...event, scheduledTime: '2026-11-22T04:00:00Z' }, CONTEXT)).toMatchObject({
      result: 'accepted',
    });
    expect(records().map(({ name, source }) => [name, source.kind])).toEqual([
      ['nightly', 'schedule'],
      ['nightly', 'schedule'],
    ]);
  });

  it('makes a dead letter of an input that is none', async () => {
    expect(await onSchedule({ job: 'nightly' }, CONTEXT)).toEqual({ result: 'dead-letter' });
    const [letter] = sentTo(DEAD_LETTERS);
    expect(letter).toMatchObject({ body: '{"job":"nightly"}', attributes: { source: 'schedule' } });
    expect(letter?.attributes['field']).toContain('schedule');
  });
});

describe('advance-run', () => {
  async function rejectedRun(): Promise<string> {
    await onSchedule({ ...(eventFixture('schedule') as object), job: 'unknown' }, CONTEXT);
    const [record] = records();
    expect(record?.outcome).toMatchObject({ state: 'rejected', reason: 'UnknownJob' });
    return sentTo(RUNS)[0]?.body ?? '';
  }

  it('announces and closes a rejected run, and takes its marker away', async () => {
    const body = await rejectedRun();
    expect(objectPaths().some((path) => path.startsWith('ledger/live/'))).toBe(true);
    expect(await advanceRun(runMessages(body), CONTEXT)).toEqual({ batchItemFailures: [] });
    const [record] = records();
    expect(record?.state).toBe('closed');
    expect(publishedEvents()).toMatchObject([
      { id: `${record?.runId ?? ''}.1`, data: { state: 'rejected', reason: 'UnknownJob' } },
    ]);
    expect(objectPaths().filter((path) => path.startsWith('ledger/live/'))).toEqual([]);
  });

  it('makes a dead letter of a message that is none, and advances its neighbour', async () => {
    const body = await rejectedRun();
    expect(await advanceRun(runMessages('{"runId": "x"}', body), CONTEXT)).toEqual({ batchItemFailures: [] });
    expect(records()[0]?.state).toBe('closed');
    expect(sentTo(DEAD_LETTERS)).toMatchObject([
      { body: '{"runId": "x"}', attributes: { reason: 'MalformedRequest' } },
    ]);
  });

  it('has a message delivered again when the ledger does not answer', async () => {
    const body = await rejectedRun();
    failPut(/record\.json$/);
    expect(await advanceRun(runMessages(body), CONTEXT)).toEqual({ batchItemFailures: [{ itemIdentifier: 'run-0' }] });
  });
});

describe('sweep-runs', () => {
  beforeAll(() => import('@kubernetes/client-node'), 60_000);

  it('looks at every live run and into every namespace of every target', async () => {
    await onSchedule(eventFixture('schedule'), CONTEXT);
    deployments = [
      {
        metadata: {
          name: 'fresh',
          namespace: 'flink',
          creationTimestamp: new Date().toISOString(),
          annotations: { [RUN_ID_ANNOTATION]: '0123456789abcdef0123', [ATTEMPT_ANNOTATION]: '1' },
        },
      },
    ];
    expect(await sweepRuns({}, CONTEXT)).toEqual({
      ...{ looked: 1, resumed: 0, deployments: 0, woken: 0, leaked: 0, removed: 0, unswept: 0 },
    });
    expect(api.seen.at(-1)?.url.pathname).toBe('/apis/apps/v1/namespaces/flink/deployments');
    expect(api.seen.every(({ method }) => method === 'GET')).toBe(true);
  });
});
