import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOlder, parseUploadEvent } from '../../lib/trigger/s3-event.ts';
import { eventFixture } from './fixture.ts';

function only(name: string) {
  const results = parseUploadEvent(eventFixture(name));
  expect(results).toHaveLength(1);
  const [result] = results;
  expect(result?.error).toBeUndefined();
  return result?.requests[0];
}

describe('parseUploadEvent', () => {
  it('decodes the key of a notification, and takes that of an EventBridge event as it is', () => {
    const key = 'nightly/Word Count +ü.jar';
    expect(only('s3-notification')?.source).toEqual({
      kind: 'jar-upload',
      bucket: 'jars',
      key,
      size: 10487,
      eTag: 'd41d8cd98f00b204e9800998ecf8427e',
      sequencer: '0055AED6DCD90281E5',
      eventTime: Date.parse('2026-11-21T04:30:00.123Z'),
    });
    expect(only('eventbridge-object-created')?.source).toMatchObject({ bucket: 'jars', key });
  });

  it('asks for jars, scripts and Python programs, however their endings are written', () => {
    const keyed = (key: string) => {
      const detail = { bucket: { name: 'jars' }, object: { key } };
      const event = { source: 'aws.s3', 'detail-type': 'Object Created', time: '2026-11-21T04:30:00Z', detail };
      return parseUploadEvent(event).flatMap(({ requests }) => requests).length;
    };
    expect(['a.jar', 'a.SQL', 'b/a.py'].map(keyed)).toEqual([1, 1, 1]);
    expect(['a.jar.job.yaml', 'a.pyc', 'a.sql/', 'jar'].map(keyed)).toEqual([0, 0, 0, 0]);
  });

  it('gives one identity to an upload, however it is told', () => {
    const told = ['s3-notification', 'sns-upload', 'eventbridge-object-created'].map((name) => only(name)?.identity);
    expect(new Set(told).size).toBe(1);
    const versioned = ['s3-notification-versioned', 'eventbridge-object-created-versioned'].map(
      (name) => only(name)?.identity,
    );
    expect(new Set(versioned).size).toBe(1);
    expect(versioned[0]).toContain('096fKKXTRTtl3on89fVO.nfljtsv6qko');
  });

  it.each(['s3-test-event', 's3-notification-removed', 'eventbridge-object-deleted'])(
    'asks for nothing on %s',
    (name) => {
      expect(parseUploadEvent(eventFixture(name)).flatMap((result) => [...result.requests, result.error])).toEqual([
        undefined,
      ]);
    },
  );

  it('reads every SQS record on its own', () => {
    const results = parseUploadEvent(eventFixture('sqs-uploads'));
    expect(results.map(({ requests, error }) => [requests.length, error?.reason])).toEqual([
      [1, undefined],
      [1, undefined],
      [1, undefined],
      [0, undefined],
      [0, 'MalformedRequest'],
      [1, 'MalformedRequest'],
    ]);
    expect(results[5]?.requests[0]?.source).toMatchObject({ key: 'good.jar' });
    expect(results[5]?.error).toMatchObject({ field: 's3.object.key' });
    expect(results[4]?.messageId).toBe('059f36b4-87a3-44ab-83d2-661975740005');
  });

  it('tells uploads of one key apart by sequencer', () => {
    const event = eventFixture('s3-notification') as { Records: { s3: { object: { sequencer: string } } }[] };
    const before = parseUploadEvent(event)[0]?.requests[0]?.identity;
    for (const record of event.Records) record.s3.object.sequencer = '0055AED6DCD90281E6';
    expect(parseUploadEvent(event)[0]?.requests[0]?.identity).not.toBe(before);
  });

  it('ignores what is no jar, such as a sidecar', () => {
    const event = eventFixture('s3-notification') as { Records: { s3: { object: { key: string } } }[] };
    for (const record of event.Records) record.s3.object.key = 'nightly/a.jar.job.yaml';
    expect(parseUploadEvent(event)).toEqual([{ messageId: 'record-0', requests: [] }]);
  });

  it.each([undefined, null, 7, 'text', {}, { Records: [null] }, { source: 'aws.s3', 'detail-type': 'Object Created' }])(
    'answers %j with an error, and never throws',
    (event) => {
      const results = parseUploadEvent(event);
      expect(results.map((result) => result.error?.reason)).toEqual(['MalformedRequest']);
    },
  );

  it('decodes any key that was form-encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        const event = eventFixture('s3-notification') as { Records: { s3: { object: { key: string } } }[] };
        const encoded = encodeURIComponent(`${name}.jar`).replaceAll('%20', '+');
        for (const record of event.Records) record.s3.object.key = encoded;
        expect(parseUploadEvent(event)[0]?.requests[0]?.source).toMatchObject({ key: `${name}.jar` });
      }),
    );
  });
});

describe('isOlder', () => {
  it.each([
    ['0055AED6DCD90281E5', '0055AED6DCD90281E6', true],
    ['0055AED6DCD90281E6', '0055AED6DCD90281E5', false],
    ['0055AED6', '0055AED6DCD9', true],
    ['0055AED7', '0055AED6DCD9', false],
    ['0055aed6', '0055AED6', false],
    ['00', '0000', false],
  ])('%s before %s: %s', (a, b, expected) => {
    expect(isOlder(a, b)).toBe(expected);
  });

  it('orders any two sequencers one way at most', () => {
    const sequencer = fc.stringMatching(/^[0-9A-F]{1,24}$/);
    fc.assert(fc.property(sequencer, sequencer, (a, b) => !(isOlder(a, b) && isOlder(b, a))));
  });
});
