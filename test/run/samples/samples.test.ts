import { describe, expect, it } from 'vitest';
import { fewer, foldSamples, mergeSamples } from '../../../lib/run/samples/merge.ts';
import { addSample, readSamples, writeSamples } from '../../../lib/run/samples/sample-text.ts';
import { isSampleDue, sampleInterval } from '../../../lib/run/samples/sampling.ts';
import { MOST_POINTS, type Sample } from '../../../lib/run/samples/sample.ts';
import { seriesOf } from '../../../lib/run/samples/series.ts';
import { sampleAt, SINK, SOURCE } from './sample.ts';

const HOUR = 3_600_000;

describe('samples as text', () => {
  it('tell of the job once, and again where it changes', () => {
    const wider = sampleAt(3, { parallelism: 4 });
    const texts = [sampleAt(1), sampleAt(2), wider].reduce((text, sample) => addSample(text, sample).text, '');
    const lines = texts.trim().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object)[0])).toEqual(['job', 'at', 'at', 'job', 'at']);
    expect(readSamples(texts)).toEqual([sampleAt(1), sampleAt(2), wider]);
    expect(addSample(texts, sampleAt(4)).samples).toBe(4);
    expect(writeSamples(readSamples(texts))).toBe(texts);
  });

  it('come back with all that was sampled, and without what was not', () => {
    const full: Sample = {
      ...sampleAt(5),
      checkpoint: { id: 7, at: 4, duration: 30, bytes: 1000, written: 10 },
      checkpoints: { completed: 7, failed: 1 },
      heap: { used: 10, max: 100 },
      restarts: 2,
      taskManagers: 3,
    };
    const bare: Sample = { ...sampleAt(6), counts: [{ recordsIn: 0, recordsOut: 1, bytesIn: 2, bytesOut: 3 }] };
    expect(readSamples(writeSamples([full, bare]))).toEqual([full, bare]);
  });

  it('are read past what is damaged or of another version', () => {
    const text = writeSamples([sampleAt(1), sampleAt(2)]);
    expect(readSamples(`{"at":0,"counts":[]}\n${text}{"new":1}\nno JSON\n`)).toEqual([sampleAt(1), sampleAt(2)]);
  });

  it('hold no secret of a name, and no name without end', () => {
    const named = sampleAt(1, { name: `jdbc:password=geheim ${'x'.repeat(5_000)}` });
    const text = writeSamples([named]);
    expect(text).not.toContain('geheim');
    expect(text.length).toBeLessThan(1_500);
  });

  it('are of fifty vertices at most', () => {
    const [vertex] = sampleAt(1).job.vertices;
    const [count] = sampleAt(1).counts;
    if (vertex === undefined || count === undefined) throw new Error('no vertex');
    const vertices = Array.from({ length: 80 }, (_, index) => ({ ...vertex, id: String(index) }));
    const wide: Sample = { ...sampleAt(1), job: { id: 'j', name: 'n', vertices }, counts: vertices.map(() => count) };
    const [read] = readSamples(writeSamples([wide]));
    expect([read?.counts.length, read?.job.vertices.length]).toEqual([50, 50]);
  });
});

describe('older samples', () => {
  it('become fewer evenly, and the first and the last stay', () => {
    const all = Array.from({ length: 1000 }, (_, index) => sampleAt(index));
    const some = fewer(all, 100);
    expect(some.length).toBeLessThanOrEqual(100);
    expect(some.length).toBeGreaterThan(95);
    expect([some[0]?.at, some.at(-1)?.at]).toEqual([0, 999]);
    const gaps = some.slice(1).map(({ at }, index) => at - (some[index]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(22);
  });

  it('stay as they are while they are few', () => {
    const few = [sampleAt(1), sampleAt(2)];
    expect(fewer(few, 2)).toBe(few);
  });

  it('keep the fullest heap of a span', () => {
    const heaps = [10, 90, 20, 5].map((used, at) => ({ ...sampleAt(at), heap: { used, max: 100 } }));
    expect(fewer(heaps, 2).map(({ at, heap }) => [at, heap?.used])).toEqual([
      [0, 10],
      [3, 90],
    ]);
  });

  it('stand once where a function died before it took the newest away', () => {
    const recent = writeSamples([sampleAt(3), sampleAt(4)]);
    const older = foldSamples(writeSamples([sampleAt(1), sampleAt(2)]), recent);
    expect(mergeSamples(older, recent).map(({ at }) => at)).toEqual([1, 2, 3, 4]);
  });
});

describe('what is drawn', () => {
  it('is what happened since the sample before, by second and share of time', () => {
    const before = sampleAt(10_000, { records: 100, busy: 1_000 });
    const after = sampleAt(20_000, { records: 600, busy: 11_000, watermark: 15_000 });
    const series = seriesOf([before, after]);
    expect(series?.points[0]?.vertices[SINK]).toEqual({});
    expect(series?.points[1]?.vertices[SINK]).toEqual({
      recordsIn: 50,
      recordsOut: 0,
      bytesIn: 500,
      bytesOut: 0,
      // Of two subtasks.
      busy: 0.5,
      idle: 0,
      backPressured: 0,
      watermarkLag: 5_000,
    });
    expect(series?.totals[SINK]?.recordsIn).toBe(600);
  });

  it('says nothing of a time in which tasks began anew or became others', () => {
    const anew = seriesOf([sampleAt(0, { records: 100 }), sampleAt(10, { records: 5 })]);
    const wider = seriesOf([sampleAt(0), sampleAt(10, { parallelism: 4 })]);
    expect(anew?.points[1]?.vertices[SINK]).toEqual({});
    expect(wider?.points[1]?.vertices[SINK]).toEqual({});
  });

  it('leaves out what a source does not measure', () => {
    const series = seriesOf([sampleAt(0), sampleAt(1_000, { records: 10 })]);
    expect(series?.points[1]?.vertices[SOURCE]).toEqual({ recordsIn: 0, recordsOut: 10, bytesIn: 0, bytesOut: 100 });
  });

  it('has the age of the newest checkpoint, and is nothing of nothing', () => {
    const checkpoint = { id: 1, at: 400, duration: 30, bytes: 1_000 };
    expect(seriesOf([{ ...sampleAt(1_000), checkpoint }])?.points[0]?.checkpoint).toEqual({ ...checkpoint, age: 600 });
    expect(seriesOf([])).toBeUndefined();
  });
});

describe('the distance of samples', () => {
  it.each([
    ['streaming', 0, 60_000],
    ['batch', 0, 10_000],
    ['batch', HOUR, 18_000],
    ['streaming', 10 * HOUR, 180_000],
    ['streaming', 24 * 30 * HOUR, 900_000],
  ] as const)('of a %s job of %i ms is %i ms', (kind, age, interval) => {
    expect(sampleInterval(kind, age)).toBe(interval);
  });

  it.each([
    ['a job that does not run yet', {}, false],
    ['one that was never sampled', { runningAt: 0 }, true],
    ['one that was sampled just now', { runningAt: 0, sampledAt: 90_000 }, false],
    ['one whose look comes a little early', { runningAt: 0, sampledAt: 41_000 }, true],
  ])('%s', (_what, attempt, isDue) => {
    expect(isSampleDue(attempt, 'streaming', 100_000)).toBe(isDue);
  });

  it('leaves so few that a year of them is bounded by what is kept', () => {
    const looks = Array.from({ length: 24 * 12 }, (_, index) => index * 300_000);
    let attempt: { runningAt: number; sampledAt?: number } = { runningAt: -7 * 24 * HOUR };
    const samples = looks.filter((now) => {
      const isDue = isSampleDue(attempt, 'streaming', now);
      if (isDue) attempt = { ...attempt, sampledAt: now };
      return isDue;
    });
    expect(samples).toHaveLength(96);
    expect(MOST_POINTS).toBe(500);
  });
});
