import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../lib/core/ids.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { eventFixture } from './fixture.ts';

interface Raw {
  body: string;
  attributes: Record<string, string>;
  messageAttributes: Record<string, { stringValue: string }>;
}

const QUEUE = 'arn:aws:sqs:eu-central-1:111122223333:flink-jobs';

function message(body: unknown, change: (record: Raw) => void = () => undefined) {
  const event = eventFixture('sqs-messages') as { Records: Raw[] };
  const [record] = event.Records;
  if (record === undefined) throw new Error('the fixture has no record');
  record.body = typeof body === 'string' ? body : JSON.stringify(body);
  change(record);
  return parseMessageEvent({ Records: [record] }, 0)[0];
}

describe('parseMessageEvent', () => {
  const results = parseMessageEvent(eventFixture('sqs-messages'), 0);

  it('reads every record on its own', () => {
    expect(results.map(({ requests, error }) => [requests.length, error?.reason])).toEqual([
      [1, undefined],
      [1, undefined],
      [1, undefined],
      [0, 'MalformedRequest'],
      [0, 'InvalidSpec'],
    ]);
    expect(results[4]?.error).toMatchObject({ field: 'idempotency' });
    expect(results[4]?.error?.message).toContain('did you mean idempotencyKey?');
  });

  it('takes a stored job with what differs from it', () => {
    expect(results[0]?.requests[0]).toEqual({
      source: {
        kind: 'message',
        queueArn: QUEUE,
        messageId: '059f36b4-87a3-44ab-83d2-661975740001',
        idempotencyKey: '2026-11-21',
      },
      identity: JSON.stringify(['sqs', QUEUE, 'key', 'nightly', '2026-11-21']),
      job: 'nightly',
      spec: { job: { args: ['--day', '2026-11-21'] } },
    });
  });

  it.each([
    [{ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'jars' }, /an S3 event.*upload queue/],
    [{ Records: [{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put' }] }, /an S3 event.*upload queue/],
    [{ source: 'aws.s3', 'detail-type': 'Object Created', detail: {} }, /an S3 event.*upload queue/],
    [{ source: 'my.app', 'detail-type': 'nightly', detail: { name: 'x' } }, /whole event of EventBridge.*\$\.detail/],
    [JSON.stringify('{"name": "x"}'), /not a string with an object in it: it was encoded twice/],
    ['"just text"', /not a string$/],
  ])('tells what somebody sent in place of a job: %j', (body, words) => {
    expect(message(body)?.error).toMatchObject({
      reason: 'MalformedRequest',
      message: expect.stringMatching(words) as string,
    });
  });

  it('takes a whole spec, and the key from a message attribute', () => {
    expect(results[1]?.requests[0]).toMatchObject({
      source: { idempotencyKey: 'abc' },
      spec: { job: { jarURI: 'local:///opt/flink/examples/streaming/WordCount.jar' } },
    });
  });

  it('takes a FlinkDeployment in YAML, known by its message id', () => {
    expect(results[2]?.requests[0]?.identity).toBe(
      JSON.stringify(['sqs', QUEUE, 'message', '059f36b4-87a3-44ab-83d2-661975740003']),
    );
    expect(results[2]?.requests[0]?.spec).toMatchObject({ kind: 'FlinkDeployment' });
  });

  it('takes the key out of a bare spec', () => {
    const result = message({ idempotencyKey: 'k', job: { jarURI: 'local:///a.jar' } });
    expect(result?.requests[0]?.spec).toEqual({ job: { jarURI: 'local:///a.jar' } });
    expect(result?.requests[0]?.source).toMatchObject({ idempotencyKey: 'k' });
  });

  it('refuses two keys that differ', () => {
    const result = message({ runJob: 'a', idempotencyKey: 'x' }, (record) => {
      record.messageAttributes['idempotencyKey'] = { stringValue: 'y' };
    });
    expect(result?.error).toMatchObject({ reason: 'InvalidSpec', field: 'idempotencyKey' });
  });

  it("takes a FIFO queue's deduplication id, unless it is only the content's hash", () => {
    const body = '{"runJob":"a"}';
    const withId = (id: string) =>
      message(body, (record) => {
        record.attributes['MessageDeduplicationId'] = id;
      })?.requests[0]?.source;
    expect(withId('day-1')).toMatchObject({ idempotencyKey: 'day-1' });
    expect(withId(sha256Hex(body))).not.toHaveProperty('idempotencyKey');
  });

  it.each([{ runJob: 7 }, { runJob: '' }, { spec: 'text' }, { runJob: 'a', idempotencyKey: 5 }, { idempotencyKey: 5 }])(
    'refuses %j',
    (body) => {
      expect(message(body)?.error?.reason).toBe('InvalidSpec');
    },
  );

  it.each([
    '',
    '[]',
    '"text"',
    'null',
    '{"__proto__": {}}',
    'a: 1\na: 2',
    'a: !!js/function x',
    '&a [*a]',
    `${'['.repeat(100_000)}`,
    `${'{"a":'.repeat(2000)}`,
  ])('answers a hostile or broken body with MalformedRequest', (body) => {
    expect(message(body)?.error?.reason).toBe('MalformedRequest');
  });
});

describe('an order', () => {
  const runId = '344e2e84cefa8d544286';

  it.each(['cancel', 'stop', 'savepoint'])('to %s names its run, and asks for none', (kind) => {
    const result = message({ [`${kind}Run`]: runId });
    expect(result).toMatchObject({ requests: [], orders: [{ kind, runId, source: { queueArn: QUEUE } }] });
  });

  it('to scale says in how many subtasks', () => {
    const orders = [{ kind: 'scale', runId, parallelism: 4, source: { queueArn: QUEUE } }];
    expect(message({ scaleRun: runId, parallelism: 4 })).toMatchObject({ requests: [], orders });
  });

  it.each([
    [{ scaleRun: runId }, 'parallelism'],
    [{ scaleRun: runId, parallelism: 0 }, 'parallelism'],
    [{ scaleRun: runId, parallelism: '4' }, 'parallelism'],
    [{ savepointRun: runId, parallelism: 4 }, 'parallelism'],
    [{ cancelRun: 'x' }, 'cancelRun'],
    [{ cancelRun: runId, name: 'x' }, 'name'],
    [{ cancelRun: runId, stopRun: runId }, 'stopRun'],
    [{ cancelRun: 7 }, 'cancelRun'],
  ])('that says something else is refused: %j', (body, field) => {
    expect(message(body)).toMatchObject({ requests: [], error: { reason: 'InvalidSpec', field } });
  });
});
