import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { generationOf, type DeploymentRecord } from '../../lib/deployment/record.ts';
import { autoscale, noteLoad } from '../../lib/deployment/scale/autoscale.ts';
import type { LoadSample } from '../../lib/deployment/scale/recommend.ts';
import { jobIn, recordOf, runningIn } from './job.ts';
import { request } from './request.ts';

const NOW = 1_000_000;
const RUN = runIdFor('a run');
const RULE = { min: 2, max: 8, target: 0.7, window: 60_000 };

const job = {
  ...jobIn('a'),
  options: { 'jobmanager.scheduler': 'adaptive', 'parallelism.default': '2' },
  state: { ...jobIn('a').state, autoscale: RULE },
};

/** It has had more to do than it can for a minute. */
const full: readonly LoadSample[] = Array.from({ length: 6 }, (_, index) => ({
  ...{ at: NOW - (5 - index) * 15_000, parallelism: 2, busy: 1, held: 1 },
}));

function record(change: Partial<DeploymentRecord> = {}): DeploymentRecord {
  const load = { at: NOW, samples: full };
  const own = { id: RUN, generation: 1, why: 'create', at: 0, runningAt: 0, load } as const;
  const stable = { generation: 1, at: 0 };
  const base = recordOf([request('a', 1, { job })]);
  return { ...base, state: 'running', reached: 1, runs: 1, run: own, stable, ...change };
}

const run = runningIn(RUN, job);

function scaled(of: DeploymentRecord, now = NOW) {
  const [own, wanted] = [of.run, generationOf(of, of.wanted)];
  if (own === undefined || wanted === undefined) throw new Error('nothing runs');
  return autoscale(of, { own, run, wanted, now });
}

describe('a load', () => {
  it('makes a generation of the same job in another parallelism', () => {
    const { record: next } = scaled(record());
    const [first, second] = next.generations;
    expect(second).toMatchObject({ number: 2, by: 'autoscale', autoscaledAt: NOW, at: first?.at, plan: first?.plan });
    expect(second).toMatchObject({ jobIn: first?.requestId, scale: { parallelism: 4 }, program: first?.program });
    expect(second?.job).not.toBe(first?.job);
    expect(next.wanted).toBe(2);
  });

  it('makes no more of them than are kept beside those of people', () => {
    let next = record();
    for (let turn = 0; turn < 8; turn += 1) {
      const at = NOW + turn * 300_000;
      const parallelism = generationOf(next, next.wanted)?.scale?.parallelism ?? 0;
      // More than it can do in two subtasks, and then little to do in four.
      const share = parallelism === 2 ? 1 : 0.1;
      const samples = Array.from({ length: 13 }, (_, index) => ({
        ...{ at: at - (12 - index) * 15_000, parallelism, busy: share, held: share },
      }));
      const { run: own } = next;
      next = scaled(
        { ...next, reached: next.wanted, ...(own && { run: { ...own, load: { at, samples } } }) },
        at,
      ).record;
    }
    expect(next.generations.map(({ number }) => number)).toEqual([1, 7, 8, 9]);
  });

  it('changes a job no more often than its window, whatever happens between', () => {
    const base = record();
    const before = base.generations.map((one) => ({ ...one, autoscaledAt: NOW - 59_999 }));
    expect(scaled({ ...base, generations: before }).record.wanted).toBe(1);
    expect(scaled({ ...base, generations: before }, NOW + 1).record.wanted).toBe(2);
  });

  it('asks for nothing of a job that has less than Flink was asked for: there is no room for more', () => {
    const { run: own } = record();
    const short = full.map((sample) => ({ ...sample, parallelism: 1 }));
    const of = record({ ...(own && { run: { ...own, load: { at: NOW, samples: short } } }) });
    expect(scaled(of)).toMatchObject({ record: of, look: false });
  });

  it.each<readonly [string, Partial<DeploymentRecord>]>([
    ['that is not stable yet', { stable: { generation: 7, at: 0 } }],
    ['while a savepoint is taken', { request: {} as NonNullable<DeploymentRecord['request']> }],
    ['while something else is wanted', { reached: 0 }],
  ])('is not asked for of a job %s', (_why, change) => {
    const of = record(change);
    expect(scaled(of, NOW + 60_000)).toEqual({ record: of, look: false });
  });

  it('is asked for four times in a window', () => {
    expect(scaled(record(), NOW + 14_999)).toMatchObject({ look: false, dueAt: NOW + 15_000 });
    expect(scaled(record(), NOW + 15_000)).toMatchObject({ look: true, dueAt: NOW + 30_000 });
  });

  it('is noted of the run and the scale that it was asked of; what nobody tells makes the rest worth nothing', () => {
    const sample = { parallelism: 2, busy: 0.4, held: 0.4 };
    const noted = noteLoad(record(), RUN, NOW + 15_000, sample);
    expect(noted.run?.load?.samples.at(-1)).toEqual({ at: NOW + 15_000, ...sample });
    expect(noteLoad(record(), RUN, NOW + 15_000, undefined).run?.load).toEqual({ at: NOW + 15_000, samples: [] });
    expect(noteLoad(record(), runIdFor('other'), NOW, sample)).toEqual(record());
    const own = record().run;
    const changing = record({ ...(own && { run: { ...own, rescale: { generation: 1, at: 0, until: 1 } } }) });
    expect(noteLoad(changing, RUN, NOW, sample)).toBe(changing);
  });
});
