import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildEvent } from '../../lib/outcome/event.ts';
import { cutText, MAX_EVENT_BYTES } from '../../lib/outcome/limits.ts';
import { lifecycleEventSchema, type LifecycleEvent } from '../../lib/outcome/schema.ts';
import { toWireJson } from '../../lib/core/wire-text.ts';
import type { Outcome, RunRecord } from '../../lib/run/record.ts';
import { sampleRecord } from '../fixtures/records/load.ts';

const context = { source: '/flink-dispatch/test', ledgerBucket: 'ledger' };

function eventAt(sequence: number, record: RunRecord = sampleRecord()): LifecycleEvent {
  const event = record.events[sequence - 1];
  if (event === undefined) throw new Error(`no event ${sequence}`);
  return buildEvent(record, event, context);
}

describe('buildEvent', () => {
  it('tells of the end all that a subscriber needs', () => {
    expect(eventAt(4)).toEqual({
      specversion: '1.0',
      id: '0123456789abcdef0123.4',
      source: '/flink-dispatch/test',
      type: 'io.flink-dispatch.run.completed.v1',
      subject: '0123456789abcdef0123',
      time: '2026-11-18T11:08:40.000Z',
      datacontenttype: 'application/json',
      data: {
        runId: '0123456789abcdef0123',
        name: 'word-count',
        sequence: 4,
        state: 'failed',
        reason: 'JobFailed',
        reasonClass: 'user',
        message: 'The job failed: java.io.FileNotFoundException: s3://data/in',
        todo: 'See rootException.',
        rootException: 'java.io.FileNotFoundException: s3://data/in',
        stackTrace: 'java.io.FileNotFoundException: s3://data/in\n\tat org.example.WordCount.main(WordCount.java:12)',
        accumulators: { lines: '0' },
        flinkState: 'FAILED',
        createdAt: '2026-11-18T11:06:41.000Z',
        startedAt: '2026-11-18T11:07:40.000Z',
        endedAt: '2026-11-18T11:08:40.000Z',
        duration: 119_000,
        jobDuration: 60_000,
        attempt: 2,
        target: 'default',
        namespace: 'flink',
        clusterId: 'word-count-0123456789-2',
        jobId: '00000000000000000000000000000002',
        flinkVersion: '2.3',
        image: 'flink:2.3.0-java17',
        jar: 's3://jars/daily/word count.jar',
        request: {
          kind: 'jar-upload',
          bucket: 'jars',
          key: 'daily/word count.jar',
          versionId: '3HL4kqtJlcpXroDTDmjVBH40Nrjfkd',
          eTag: 'd41d8cd98f00b204e9800998ecf8427e',
        },
        evidence: {
          prefix: 's3://ledger/runs/0123456789abcdef0123/evidence/',
          findings: ['GET /jobs/00000000000000000000000000000002: state FAILED'],
          items: [
            [1, 'pods.json'],
            [1, 'events.json'],
            [2, 'jobmanager.log'],
            [2, 'rest/jobs.json'],
          ].map(([attempt, name]) => ({
            attempt,
            name,
            uri: `s3://ledger/runs/0123456789abcdef0123/evidence/${attempt}/${name}`,
          })),
        },
        record: 's3://ledger/runs/0123456789abcdef0123/record.json',
      },
    });
  });

  it('tells of a failed attempt its own reason and evidence', () => {
    const { data, type } = eventAt(2);
    expect(type).toBe('io.flink-dispatch.run.attempt-failed.v1');
    expect(data).toMatchObject({ state: 'attempt-failed', reason: 'ImagePullFailed', attempt: 1 });
    expect(data.evidence?.items.map(({ name }) => name)).toEqual(['pods.json', 'events.json']);
    expect(data).not.toHaveProperty('rootException');
  });

  it('tells of a rejected request the field and what to do', () => {
    const outcome: Outcome = {
      state: 'rejected',
      reason: 'InvalidName',
      message: 'bad',
      field: 'name',
      at: 1,
      evidence: [],
    };
    const { job, ...rest } = sampleRecord({
      attempts: [],
      outcome,
      events: [{ sequence: 1, type: 'completed', time: 1 }],
    });
    expect(job).toBeDefined();
    const { data } = eventAt(1, rest);
    expect(data).toMatchObject({ state: 'rejected', reason: 'InvalidName', field: 'name', duration: 0 });
    expect(data.todo).toContain('lower-case');
    expect(data).not.toHaveProperty('attempt');
  });

  it.each([1, 2, 3])('has the same bytes for event %i whatever the run does later', (sequence) => {
    const later = sampleRecord();
    const { outcome, keepUntil, ...rest } = later;
    expect([outcome, keepUntil]).not.toContain(undefined);
    const upTo = later.events[sequence - 1]?.attempt ?? 0;
    const attempts = later.attempts.slice(0, upTo);
    const earlier = { ...rest, state: 'running', updatedAt: 0, attempts } as unknown as RunRecord;
    expect(toWireJson(eventAt(sequence, earlier))).toBe(toWireJson(eventAt(sequence, later)));
  });

  it('hides secrets', () => {
    const outcome: Outcome = {
      state: 'failed',
      reason: 'JobFailed',
      message: 'jdbc:postgresql://bob:hunter2@db/x refused',
      rootException: 'x: password=hunter2',
      stackTrace: 'x: token=hunter2',
      accumulators: { tokens: '42', note: 'secret-key: hunter2' },
      at: 1,
      evidence: ['env DB_PASSWORD=hunter2'],
    };
    const event = eventAt(4, sampleRecord({ outcome }));
    expect(JSON.stringify(event)).not.toContain('hunter2');
    expect(event.data.accumulators?.['tokens']).toBe('42');
  });

  it('names what was cut', () => {
    const outcome = sampleRecord().outcome;
    if (outcome === undefined) throw new Error('no outcome');
    const accumulators = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`counter-${n}`, String(n)]));
    const big = { ...outcome, stackTrace: `first\n${'\tat x.y(Z.java)\n'.repeat(10_000)}last`, accumulators };
    const { data } = eventAt(4, sampleRecord({ outcome: big }));
    expect(data.truncated).toEqual(['stackTrace', 'accumulators']);
    expect(data.stackTrace).toMatch(/^first\n[^]*characters cut[^]*last$/);
    expect(Object.keys(data.accumulators ?? {}).length).toBeGreaterThan(100);
  });

  it('fits and follows its schema whatever Flink says', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\u0001', '\uFFFF', '\uD800', '😀', 'é'),
      maxLength: 80,
    });
    const huge = fc.tuple(text, fc.constantFrom(0, 1, 2_000)).map(([part, times]) => part.repeat(times));
    fc.assert(
      fc.property(
        huge,
        huge,
        huge,
        fc.array(huge, { maxLength: 30 }),
        fc.dictionary(huge, huge),
        (a, b, c, list, map) => {
          const names = list.map((_, index) => `${'n'.repeat(190)}${index}`);
          const outcome: Outcome = {
            state: 'failed',
            reason: 'JobFailed',
            message: a,
            rootException: b,
            stackTrace: c,
            field: a,
            accumulators: map,
            at: 5,
            jobDuration: 0.4,
            evidence: list,
          };
          const sample = sampleRecord({ outcome, name: b });
          const record = {
            ...sample,
            attempts: sample.attempts.map((attempt) => ({ ...attempt, artifacts: [...names, ...names] })),
          };
          const event = eventAt(4, record);
          expect(Buffer.byteLength(toWireJson(event), 'utf8')).toBeLessThanOrEqual(MAX_EVENT_BYTES);
          expect(lifecycleEventSchema.parse(JSON.parse(toWireJson(event)))).toEqual(JSON.parse(toWireJson(event)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('cutText', () => {
  it('keeps beginning and end, and says how much is missing', () => {
    expect(cutText('short', 100)).toBe('short');
    const cut = cutText(`begin${'x'.repeat(1000)}end`, 148);
    expect(cut).toMatch(/^beginx+\n… 9\d\d characters cut …\nx+end$/);
    const [, head = '', left = 0, tail = ''] = /^(.*)\n… (\d+) characters cut …\n(.*)$/.exec(cut) ?? [];
    expect(head.length + Number(left) + tail.length).toBe(1008);
    expect([head.length, tail.length]).toEqual([75, 25]);
  });

  it('counts an end of long characters', () => {
    const cut = cutText('x'.repeat(1_000) + '\u0001'.repeat(30), 148);
    expect(Buffer.byteLength(JSON.stringify(cut))).toBeLessThanOrEqual(148);
    expect(cut.endsWith(`characters cut …\n${'\u0001'.repeat(4)}`)).toBe(true);
  });

  it('leaves what just fits', () => {
    expect(cutText('x'.repeat(98), 100)).toBe('x'.repeat(98));
    expect(cutText('x'.repeat(99), 100)).not.toBe('x'.repeat(99));
    expect(cutText('é'.repeat(49), 100)).toBe('é'.repeat(49));
    expect(cutText('é'.repeat(50), 100)).not.toBe('é'.repeat(50));
  });
});
