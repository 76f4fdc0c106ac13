import { describe, expect, it } from 'vitest';
import { isRequired, planRescale, runsWith, type JobToScale } from '../../lib/deployment/scale/plan.ts';
import type { JobVertex, Requirements } from '../../lib/flink/job-manager.ts';
import { scaleOf, scalesInPlace, withoutScale, withScaleOf } from '../../lib/job/scale.ts';
import { jobIn } from './job.ts';

const [A, B, C] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)] as const;
const OVERRIDES = 'pipeline.jobvertex-parallelism-overrides';

function upTo(...uppers: readonly [string, number][]): Requirements {
  return Object.fromEntries(uppers.map(([id, upperBound]) => [id, { lowerBound: 1, upperBound }]));
}

function vertex(id: string, parallelism: number, change: Partial<JobVertex> = {}): JobVertex {
  return { id, name: `vertex ${id}`, parallelism, maxParallelism: 128, allRun: true, ...change };
}

const job = (change: Partial<JobToScale>): JobToScale => ({
  vertices: [vertex(A, 2), vertex(B, 2), vertex(C, 1)],
  requirements: upTo([A, 2], [B, 2], [C, 1]),
  from: { parallelism: 2 },
  to: { parallelism: 4 },
  fixed: undefined,
  ...change,
});

describe('another parallelism is asked for', () => {
  it('of the vertices that have what the options say, and of no other', () => {
    expect(planRescale(job({}))).toEqual({
      kind: 'planned',
      fixed: [C],
      requirements: upTo([A, 4], [B, 4], [C, 1]),
    });
  });

  it('of the same vertices when what was asked for last never came true', () => {
    const again = job({ requirements: upTo([A, 4], [B, 4], [C, 1]), from: { parallelism: 4 }, to: { parallelism: 1 } });
    const plan = planRescale({ ...again, fixed: [C] });
    expect(plan).toMatchObject({ requirements: upTo([A, 1], [B, 1], [C, 1]) });
    // By then C is no other than the rest, but for what was noted.
    const back = job({ requirements: upTo([A, 1], [B, 1], [C, 1]), from: { parallelism: 1 }, to: { parallelism: 3 } });
    expect(planRescale({ ...back, fixed: [C] })).toMatchObject({ requirements: upTo([A, 3], [B, 3], [C, 1]) });
  });

  it('of single vertices as the options name them', () => {
    const to = { parallelism: 2, vertices: { [C]: 3 } };
    expect(planRescale(job({ to }))).toMatchObject({ requirements: upTo([A, 2], [B, 2], [C, 3]) });
  });

  it('with a lower bound that is no higher', () => {
    const requirements = { ...upTo([A, 4], [C, 1]), [B]: { lowerBound: 4, upperBound: 4 } };
    const plan = planRescale(job({ requirements, from: { parallelism: 4 }, to: { parallelism: 2 } }));
    expect(plan).toMatchObject({ requirements: { [B]: { lowerBound: 2, upperBound: 2 } } });
  });

  it.each([
    [
      'from 1, where a vertex that its program holds at 1 is no other',
      { requirements: upTo([A, 1], [B, 1], [C, 1]), from: { parallelism: 1 } },
      'unknown',
      /holds at 1/,
    ],
    [
      'of a vertex that the options name no more',
      { from: { parallelism: 2, vertices: { [C]: 1 } } },
      'unknown',
      /does not name vertex c+ any more/,
    ],
    [
      'beyond the key groups of the state',
      { vertices: [vertex(A, 2, { maxParallelism: 3 }), vertex(B, 2), vertex(C, 1)] },
      'too-much',
      /Parallelism 4 is too much for vertex a+ .* 3 key groups/,
    ],
  ] as const)('not %s', (_, change, kind, message) => {
    const plan = planRescale(job(change));
    expect(plan).toMatchObject({ kind, message: expect.stringMatching(message) as string });
  });
});

describe('a job runs with what it was asked for', () => {
  const wanted = upTo([A, 4], [C, 1]);

  it('when each vertex has it, and all its tasks run', () => {
    expect(runsWith([vertex(A, 4), vertex(C, 1)], wanted)).toBe(true);
    expect(runsWith([vertex(A, 3), vertex(C, 1)], wanted)).toBe(false);
    expect(runsWith([vertex(A, 4, { allRun: false }), vertex(C, 1)], wanted)).toBe(false);
  });

  it('and is asked for once', () => {
    expect(isRequired(wanted, upTo([A, 4]))).toBe(true);
    expect(isRequired(wanted, upTo([A, 3]))).toBe(false);
    expect(isRequired({ ...wanted, [A]: { lowerBound: 2, upperBound: 4 } }, wanted)).toBe(false);
  });
});

describe('what the options say of the scale', () => {
  const options = { 'parallelism.default': '3', [OVERRIDES]: `${A}:5,${B}:1`, 'state.backend.type': 'rocksdb' };

  it('is the parallelism, and that of single vertices', () => {
    expect(scaleOf(options)).toEqual({ parallelism: 3, vertices: { [A]: 5, [B]: 1 } });
    expect(scaleOf({})).toEqual({ parallelism: 1 });
  });

  it('is put in the place of what others say', () => {
    expect(withoutScale(options)).toEqual({ 'state.backend.type': 'rocksdb' });
    const other = { 'parallelism.default': '7', 'state.backend.type': 'hashmap' };
    expect(withScaleOf(options, other)).toEqual({ 'parallelism.default': '7', 'state.backend.type': 'rocksdb' });
  });

  it.each([
    [{ 'jobmanager.scheduler': 'adaptive' }, {}, true],
    [{ 'jobmanager.scheduler': 'Adaptive' }, {}, true],
    [{}, {}, false],
    [{ 'jobmanager.scheduler': 'adaptive', 'scheduler-mode': 'REACTIVE' }, {}, false],
    [{ 'jobmanager.scheduler': 'adaptive' }, { mode: 'standalone' }, false],
    [{ 'jobmanager.scheduler': 'adaptive' }, { kind: 'batch' }, false],
  ] as const)('is changed in place with %j, %j: %s', (own, change, expected) => {
    expect(scalesInPlace({ ...jobIn('a'), options: own, ...change })).toBe(expected);
  });
});
