import { describe, expect, it } from 'vitest';
import { MOST_SAMPLES, placeOf } from '../../../lib/run/samples/places.ts';
import { readSamples, writeSample } from '../../../lib/run/samples/sample-text.ts';
import { isSampleDue, sampleInterval } from '../../../lib/run/samples/sampling.ts';
import type { Sample } from '../../../lib/run/samples/sample.ts';
import { seriesOf } from '../../../lib/run/samples/series.ts';
import { sampleAt, SINK, SOURCE } from './sample.ts';

const HOUR = 3_600_000;

const writeSamples = (samples: readonly Sample[]): string => samples.map(writeSample).join('');

describe('samples as text', () => {
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

  it('hide a secret of a name before they cut it', () => {
    const url = ` jdbc://app:geheim@${'h'.repeat(40)}`;
    const text = writeSamples([sampleAt(1, { name: `${'x'.repeat(300 - ' jdbc://app:geheim'.length)}${url}` })]);
    expect(text).not.toContain('geheim');
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
  /** Numbers of those that are kept when so many were taken. */
  function keptOf(count: number): readonly number[] {
    const places = new Map<string, number>();
    for (let number = 1; number <= count; number += 1) places.set(placeOf(number), number);
    return [...places.values()].sort((a, b) => a - b);
  }

  it('stay as they are while they are few', () => {
    expect(keptOf(100)).toHaveLength(100);
  });

  it('thin out with their age, and the newest stay', () => {
    const kept = keptOf(40_000);
    expect(kept.length).toBeLessThanOrEqual(MOST_SAMPLES);
    expect(kept.length).toBeGreaterThan(450);
    expect(kept.slice(-100)).toEqual(Array.from({ length: 100 }, (_, index) => 39_901 + index));
    const gaps = kept.slice(1).map((number, index) => number - (kept[index] ?? 0));
    expect(gaps.every((gap, index) => gap <= 4 || (gaps[index - 1] ?? gap) >= gap / 4)).toBe(true);
    expect(kept[0]).toBeLessThan(15_000);
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
    ['batch', HOUR, 45_000],
    ['streaming', 10 * HOUR, 450_000],
    ['streaming', 24 * 30 * HOUR, 2_400_000],
  ] as const)('of a %s job of %i ms is %i ms', (kind, age, interval) => {
    expect(sampleInterval(kind, age)).toBe(interval);
  });

  it.each([
    ['a job that does not run yet', {}, false],
    ['one that was never sampled', { runningAt: 0 }, true],
    ['one that was sampled just now', { runningAt: 0, sampled: { count: 1, at: 90_000 } }, false],
    ['one whose look comes a little early', { runningAt: 0, sampled: { count: 1, at: 41_000 } }, true],
  ])('%s', (_what, attempt, isDue) => {
    expect(isSampleDue(attempt, 'streaming', 100_000)).toBe(isDue);
  });

  it('is every eighth look of an old stream', () => {
    const looks = Array.from({ length: 24 * 12 }, (_, index) => index * 300_000);
    let attempt: { runningAt: number; sampled?: { count: number; at: number } } = { runningAt: -7 * 24 * HOUR };
    const samples = looks.filter((now) => {
      const isDue = isSampleDue(attempt, 'streaming', now);
      if (isDue) attempt = { ...attempt, sampled: { count: 1, at: now } };
      return isDue;
    });
    expect(samples).toHaveLength(36);
  });
});
