import { describe, expect, it } from 'vitest';
import { buildEvent } from '../../lib/outcome/event.ts';
import type { LifecycleEventData } from '../../lib/outcome/schema.ts';
import type { Attempt, EndedRun, JobReport, Outcome, RunEvent } from '../../lib/run/record.ts';
import type { RunSource } from '../../lib/trigger/request.ts';
import { launchedSample, sampleRecord } from '../fixtures/records/load.ts';

const context = { source: '/flink-dispatch/test', ledgerBucket: 'ledger' };
const END: RunEvent = { sequence: 4, type: 'completed', time: 4, attempt: 2 };
const OUTCOME: Outcome = { state: 'succeeded', reason: 'JobFinished', message: 'done', at: 5, evidence: [] };

function dataOf(changes: Partial<EndedRun>, event: RunEvent = END): LifecycleEventData {
  return buildEvent(sampleRecord(changes), event, context).data;
}

const withOptions = (options: Readonly<Record<string, string>>): NonNullable<EndedRun['job']> => {
  const { job } = sampleRecord();
  if (job === undefined) throw new Error('the sample has no job');
  return { ...job, options };
};

it('an event of a tenant’s run names the tenant', () => {
  expect(dataOf({ tenant: 'alpha' }).tenant).toBe('alpha');
  expect(dataOf({})).not.toHaveProperty('tenant');
});

describe('the request of an event', () => {
  const message = { kind: 'message', queueArn: 'arn:aws:sqs:eu:1:jobs', messageId: 'm-1' } as const;
  const schedule = 'arn:aws:scheduler:eu:1:schedule/nightly/count';
  it.each<[RunSource, object]>([
    [message, message],
    [
      { ...message, idempotencyKey: 'k'.repeat(2_000) },
      { ...message, idempotencyKey: expect.stringMatching(/^k{700,}\n… \d+ characters cut …\nk+$/) as string },
    ],
    [
      { kind: 'schedule', schedule, scheduledTime: Date.parse('2026-11-18T02:00:00Z') },
      { kind: 'schedule', schedule, scheduledTime: '2026-11-18T02:00:00.000Z' },
    ],
  ])('%o', (source, expected) => {
    expect(dataOf({ source }).request).toEqual(expected);
  });
});

describe('the jobs of an event', () => {
  const job = (changes: Partial<JobReport> = {}): JobReport => ({ id: 'a', state: 'FINISHED', ...changes });
  const jobsOf = (jobs: readonly JobReport[]): LifecycleEventData => dataOf({ outcome: { ...OUTCOME, jobs } });

  it('are told with their times and accumulators', () => {
    const startedAt = Date.parse('2026-11-18T11:07:40Z');
    const { jobs, truncated } = jobsOf([
      job({ name: 'first', startedAt, duration: 12.4, accumulators: { lines: '7' } }),
      job({ id: 'b', state: 'FAILED' }),
    ]);
    expect(jobs).toEqual([
      {
        id: 'a',
        state: 'FINISHED',
        name: 'first',
        startedAt: '2026-11-18T11:07:40.000Z',
        duration: 12,
        accumulators: { lines: '7' },
      },
      { id: 'b', state: 'FAILED' },
    ]);
    expect(truncated).toBeUndefined();
  });

  it('are none where none is known', () => {
    expect(dataOf({ outcome: OUTCOME })).not.toHaveProperty('jobs');
    expect(dataOf({ outcome: OUTCOME })).not.toHaveProperty('accumulators');
    expect(dataOf({ outcome: OUTCOME })).not.toHaveProperty('jobDuration');
  });

  it('are forty at most', () => {
    const many = (count: number): JobReport[] => Array.from({ length: count }, (_, n) => job({ id: String(n) }));
    expect(jobsOf(many(40)).jobs).toHaveLength(40);
    expect(jobsOf(many(40)).truncated).toBeUndefined();
    expect(jobsOf(many(41)).jobs).toHaveLength(40);
    expect(jobsOf(many(41)).truncated).toEqual(['jobs']);
  });

  it('have names without secrets, of bounded length', () => {
    const [first] = jobsOf([job({ name: `password=hunter2 ${'x'.repeat(500)}` })]).jobs ?? [];
    expect(first?.name).not.toContain('hunter2');
    expect(Buffer.byteLength(JSON.stringify(first?.name))).toBeLessThanOrEqual(128);
  });

  it('share what room there is for accumulators', () => {
    const accumulators = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`a${n}`, 'v'.repeat(3_500)]));
    const { jobs = [], truncated } = jobsOf([1, 2, 3].map((n) => job({ id: String(n), accumulators })));
    expect(jobs.map((one) => Object.keys(one.accumulators ?? {}).length)).toEqual([6, 3, 0]);
    expect(truncated).toEqual(['jobs']);
  });
});

describe('accumulators of an event', () => {
  const keptOf = (accumulators: Readonly<Record<string, string>>): LifecycleEventData =>
    dataOf({ outcome: { ...OUTCOME, accumulators } });

  it.each([
    ['a long name', { ['n'.repeat(600)]: '1' }],
    ['a long value', { a: 'v'.repeat(5_000) }],
  ])('with %s are kept, and called cut', (_, accumulators) => {
    const { accumulators: kept = {}, truncated } = keptOf(accumulators);
    expect(Object.keys(kept)).toHaveLength(1);
    expect(truncated).toEqual(['accumulators']);
  });

  it('take all their room, and no byte more', () => {
    const all = (last: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`a${n}`, 'v'.repeat(n === 7 ? last : 4_088)]));
    expect(Object.keys(keptOf(all(4_088)).accumulators ?? {})).toHaveLength(8);
    expect(keptOf(all(4_088)).truncated).toBeUndefined();
    expect(Object.keys(keptOf(all(4_089)).accumulators ?? {})).toHaveLength(7);
    expect(keptOf(all(4_089)).truncated).toEqual(['accumulators']);
  });

  it('end where their room ends, whatever would still fit behind', () => {
    const all = { ...Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`a${n}`, 'v'.repeat(4_000)])), last: '1' };
    const { accumulators = {}, truncated } = keptOf(all);
    expect(Object.keys(accumulators)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7']);
    expect(truncated).toEqual(['accumulators']);
  });
});

describe('evidence of an event', () => {
  const attempts = (...artifacts: readonly (readonly string[] | undefined)[]): EndedRun['attempts'] => {
    const [first] = launchedSample().attempts;
    return artifacts.map((names, index): Attempt => {
      const { artifacts: own, ...attempt } = { ...first, number: index + 1, outcome: OUTCOME };
      expect(own).toBeDefined();
      return names === undefined ? attempt : { ...attempt, artifacts: names };
    });
  };
  const itemsOf = (event: RunEvent): readonly string[] =>
    (dataOf({ attempts: attempts(['a'], undefined, ['c'], ['d']), outcome: OUTCOME }, event).evidence?.items ?? []).map(
      ({ attempt, name }) => `${attempt}/${name}`,
    );

  it('is that of all attempts up to its own, or of a failed attempt alone', () => {
    expect(itemsOf({ ...END, attempt: 3 })).toEqual(['1/a', '3/c']);
    expect(itemsOf({ ...END, type: 'attempt-failed', attempt: 3 })).toEqual(['3/c']);
    expect(itemsOf({ ...END, type: 'attempt-failed', attempt: 2 })).toEqual([]);
    const { attempt, ...rejected } = END;
    expect(attempt).toBe(2);
    expect(itemsOf(rejected)).toEqual([]);
  });

  it('names sixty files at most: the last', () => {
    const names = Array.from({ length: 70 }, (_, n) => String(n));
    const { items = [] } =
      dataOf({ attempts: attempts(names), outcome: OUTCOME }, { ...END, attempt: 1 }).evidence ?? {};
    expect(items.map(({ name }) => name)).toEqual(names.slice(-60));
  });

  it('has twenty findings at most', () => {
    const outcome = { ...OUTCOME, evidence: Array.from({ length: 30 }, (_, n) => `finding ${n}`) };
    expect(dataOf({ outcome }).evidence?.findings).toEqual(outcome.evidence.slice(0, 20));
  });

  it('is told of ends alone', () => {
    for (const type of ['accepted', 'started'] as const) {
      const data = dataOf({ outcome: OUTCOME }, { ...END, type });
      expect(data).not.toHaveProperty('evidence');
      expect(data).not.toHaveProperty('endedAt');
      expect(data.state).toBe(type);
    }
  });
});

describe('what a run leaves', () => {
  const job = withOptions({ 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' });

  it('is told with its end', () => {
    expect(dataOf({ job, outcome: OUTCOME }).left).toContain(`s3://ha/x/${launchedSample().attempts[0].clusterId}`);
    expect(dataOf({ job, outcome: OUTCOME }, { ...END, type: 'attempt-failed' })).not.toHaveProperty('left');
    expect(dataOf({ outcome: OUTCOME, job: withOptions({}) })).not.toHaveProperty('left');
  });
});

describe('the job of an event', () => {
  it.each([
    [{ 'kubernetes.container.image': 'old:1' }, 'old:1'],
    [{ 'kubernetes.container.image.ref': 'new:1', 'kubernetes.container.image': 'old:1' }, 'new:1'],
    [{}, undefined],
  ])('has the image of %o', (options, image) => {
    const data = dataOf({ job: withOptions(options) });
    expect(data.image).toBe(image);
    expect('image' in data).toBe(image !== undefined);
  });

  it('has an id once one was seen, and before where it was given one', () => {
    const unseen = launchedSample().attempts.map(({ runningAt, ...attempt }): Attempt => {
      expect([runningAt]).toHaveLength(1);
      return attempt;
    });
    expect(dataOf({ attempts: unseen, job: withOptions({}) })).not.toHaveProperty('jobId');
    const { jobId } = unseen[1] ?? {};
    const safe = withOptions({ 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' });
    expect(dataOf({ attempts: unseen, job: safe }).jobId).toBe(jobId);
  });
});
