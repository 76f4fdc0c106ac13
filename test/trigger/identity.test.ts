import { describe, expect, it } from 'vitest';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import type { RecordResult } from '../../lib/trigger/record-result.ts';
import { parseUploadEvent } from '../../lib/trigger/s3-event.ts';
import { eventFixture } from './fixture.ts';

const QUEUE = 'arn:aws:sqs:eu-central-1:111122223333:flink-jobs';

interface Sent {
  readonly messageId?: string;
  readonly eventSourceARN?: string;
  readonly attributes?: Record<string, string>;
  readonly messageAttributes?: Record<string, unknown>;
}

function result(body: unknown, sent: Sent = {}): RecordResult {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const record = { messageId: 'm-1', eventSource: 'aws:sqs', eventSourceARN: QUEUE, body: text, ...sent };
  const [only] = parseMessageEvent({ Records: [record] }, 0);
  if (only === undefined) throw new Error('no result');
  return only;
}

function identity(body: unknown, sent: Sent = {}): string {
  const { requests, error } = result(body, sent);
  if (requests[0] === undefined) throw error ?? new Error('no request');
  return requests[0].identity;
}

describe('which messages are one request', () => {
  const keyed = (name: string) => ({ name, idempotencyKey: 'monday', job: { jarURI: 'local:///a.jar' } });
  const deployment = (name: string) => ({
    apiVersion: 'v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name },
    spec: {},
  });
  const fifo = { attributes: { MessageDeduplicationId: 'monday' } };

  it('those with the same key of the same job on the same queue, whatever their message id', () => {
    expect(identity(keyed('a'), { messageId: 'm-2' })).toBe(identity(keyed('a')));
    expect(identity({ runJob: 'a', idempotencyKey: 'monday' })).toBe(identity(keyed('a')));
    expect(identity({ idempotencyKey: 'monday', spec: { name: 'a' } })).toBe(identity(keyed('a')));
    const attribute = { messageAttributes: { idempotencyKey: { stringValue: 'monday' } } };
    expect(identity({ runJob: 'a' }, attribute)).toBe(identity(keyed('a')));
    expect(identity({ runJob: 'a', idempotencyKey: 'monday' }, attribute)).toBe(identity(keyed('a')));
    expect(identity({ runJob: 'a', idempotencyKey: 'monday' }, fifo)).toBe(identity(keyed('a')));
    expect(identity(deployment('a'), { ...fifo, messageId: 'm-2' })).toBe(identity(deployment('a'), fifo));
  });

  it('without a key those of one message id', () => {
    expect(identity({ runJob: 'a' })).toBe(identity({ runJob: 'a' }));
    expect(identity({ runJob: 'a' }, { messageId: 'm-2' })).not.toBe(identity({ runJob: 'a' }));
  });

  it('none of two jobs, of two queues, or of two keys', () => {
    const all = [
      ...[identity(keyed('a')), identity(keyed('b')), identity(keyed('a'), { eventSourceARN: `${QUEUE}-2` })],
      ...[identity({ ...keyed('a'), idempotencyKey: 'tuesday' }), identity({ idempotencyKey: 'monday', job: {} })],
      ...[identity(deployment('c'), fifo), identity(deployment('d'), fifo), identity({ runJob: 'e' })],
      // Its key may say what another message's id is.
      ...[identity({ runJob: 'a', idempotencyKey: 'm-1' }), identity({ runJob: 'm-1', idempotencyKey: 'message' })],
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([{ metadata: 7 }, { metadata: { name: 7 } }, { name: ['x'] }])(
    'a job without a name has none: %j',
    (spec) => {
      expect(identity({ ...spec, idempotencyKey: 'k' })).toBe(identity({ idempotencyKey: 'k', job: {} }));
    },
  );
});

describe('what a message says', () => {
  it('is a manifest by its kind or its version', () => {
    for (const body of [
      { kind: 'FlinkDeployment', spec: { a: 1 } },
      { apiVersion: 'flink.apache.org/v1beta1', spec: {} },
    ]) {
      expect(result(body).requests[0]?.spec).toEqual(body);
    }
  });

  it('is a spec where it only looks like an event', () => {
    for (const body of [
      { name: 'x', detail: 1 },
      { name: 'x', 'detail-type': 'y' },
      { name: 'x', 'detail-type': 7, detail: 1 },
    ]) {
      expect(result(body).requests[0]?.spec).toEqual(body);
    }
    const whole = { 'detail-type': 'nightly', detail: {} };
    expect(result(whole).error).toMatchObject({ reason: 'MalformedRequest', field: 'detail' });
  });

  it('is in the envelope of SNS, where there is one', () => {
    const envelope = { Type: 'Notification', TopicArn: 'arn:aws:sns:r:1:jobs', Message: '{"runJob":"a"}' };
    expect(result(envelope).requests[0]?.job).toBe('a');
    for (const change of [{ Type: 'other' }, { TopicArn: undefined }]) {
      expect(result({ ...envelope, ...change }).requests[0]?.job).toBeUndefined();
    }
    expect(result({ ...envelope, Message: undefined }).error).toMatchObject({
      reason: 'MalformedRequest',
      field: 'Message',
    });
  });

  it('is read alone where it asks for nothing else', () => {
    expect(result({ runJob: 'a' })).toMatchObject({ requests: [{ job: 'a' }] });
    expect(result({ runJob: 'a' })).not.toHaveProperty('orders');
    expect(result({ runJob: 'a' })).not.toHaveProperty('error');
  });
});

describe('the group of a message', () => {
  const group = (eventSourceARN: unknown, attributes?: Record<string, unknown>): string | undefined =>
    result({ runJob: 'a' }, { eventSourceARN, ...(attributes && { attributes }) } as Sent).group;

  it('is that of a FIFO queue, for one that cannot be read too', () => {
    expect(group(`${QUEUE}.fifo`, { MessageGroupId: 'g' })).toBe(`${QUEUE}.fifo g`);
    expect(group(`${QUEUE}.fifo`, { MessageGroupId: 'h' })).not.toBe(group(`${QUEUE}.fifo`, { MessageGroupId: 'g' }));
    expect(group(`${QUEUE}-2.fifo`, { MessageGroupId: 'g' })).not.toBe(group(`${QUEUE}.fifo`, { MessageGroupId: 'g' }));
    expect(group(`${QUEUE}.fifo`, { MessageGroupId: 7 })).toBe(`${QUEUE}.fifo `);
    expect(group(`${QUEUE}.fifo`)).toBe(`${QUEUE}.fifo `);
    const broken = result('{', { eventSourceARN: `${QUEUE}.fifo`, attributes: { MessageGroupId: 'g' } });
    expect(broken).toMatchObject({ messageId: 'm-1', group: `${QUEUE}.fifo g`, error: { reason: 'MalformedRequest' } });
  });

  it('is none on a queue that has no order, where groups only share it out', () => {
    expect(result({ runJob: 'a' }, { attributes: { MessageGroupId: 'g' } })).not.toHaveProperty('group');
  });

  it.each([7, null, 'text', { body: '{}' }, { messageId: 7, body: '{}', eventSourceARN: 9 }])(
    'a record that is none is told, and hides no other: %j',
    (record) => {
      const good = { messageId: 'm-2', eventSourceARN: QUEUE, body: '{"runJob":"a"}' };
      expect(parseMessageEvent({ Records: [record, good] }, 0)).toMatchObject([
        { messageId: '', requests: [], error: { reason: 'MalformedRequest' } },
        { messageId: 'm-2', requests: [{ job: 'a' }] },
      ]);
    },
  );
});

describe('which uploads are one request', () => {
  interface Upload {
    eventName?: unknown;
    eventTime: string;
    s3: { object: Record<string, unknown> };
  }
  const upload = (change: Record<string, unknown>, of: Partial<Upload> = {}) => {
    const { Records } = eventFixture('s3-notification') as { Records: Upload[] };
    for (const record of Records) {
      Object.assign(record, of);
      Object.assign(record.s3.object, change);
    }
    return parseUploadEvent({ Records })[0];
  };
  const id = (...told: Parameters<typeof upload>): string => upload(...told)?.requests[0]?.identity ?? 'none';

  it('those of one version, else of one content at one place in the order of the key', () => {
    expect(id({ versionId: 'v1', sequencer: '01' })).toBe(id({ versionId: 'v1', sequencer: '02' }));
    for (const versionId of ['null', '']) expect(id({ versionId })).toBe(id({}));
    const all = [
      ...[{}, { versionId: 'v1' }, { versionId: 'v2' }, { sequencer: '0F' }, { eTag: 'another' }, { key: 'b.jar' }].map(
        (change) => id(change),
      ),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('those of one time, where nothing else tells their order', () => {
    const at = (eventTime: string): string => id({ sequencer: undefined }, { eventTime });
    expect(at('2026-11-21T04:30:00.000Z')).toBe(at('2026-11-21T04:30:00Z'));
    expect(at('2026-11-21T04:30:00Z')).not.toBe(at('2026-11-21T04:30:01Z'));
  });

  it('has the tag of the content without its quotes, if there is one', () => {
    expect(id({ eTag: '"d41d"' })).toBe(id({ eTag: 'd41d' }));
    expect(upload({ eTag: '"a"b"' })?.requests[0]?.source).toMatchObject({ eTag: 'a"b' });
    for (const eTag of ['', '""', undefined]) {
      expect(upload({ eTag })?.requests[0]?.source).not.toHaveProperty('eTag');
      expect(id({ eTag })).toBe(id({ eTag: '' }));
    }
  });

  it('none that S3 does not say the time or the kind of', () => {
    expect(upload({}, { eventTime: 'soon' })?.error).toMatchObject({ reason: 'MalformedRequest', field: 'eventTime' });
    expect(upload({}, { eventName: 7 })?.error).toMatchObject({ reason: 'MalformedRequest', field: 'eventName' });
    expect(upload({}, { eventSource: 'aws:other' } as never)?.error?.reason).toBe('MalformedRequest');
  });

  it('none in an envelope of SNS that cannot be read: it is told, and hides no other', () => {
    const { Records } = eventFixture('sns-upload') as { Records: unknown[] };
    const broken = { EventSource: 'aws:sns', Sns: { Message: '{' } };
    const results = parseUploadEvent({
      Records: [broken, { ...(Records[0] as object), EventSource: 'aws:x' }, ...Records],
    });
    expect(results.map(({ requests, error }) => [requests.length, error?.reason])).toEqual([
      ...[
        [0, 'MalformedRequest'],
        [0, 'MalformedRequest'],
        [1, undefined],
      ],
    ]);
  });
});
