import { describe, expect, it } from 'vitest';
import { murmur3 } from '../../../lib/flink/plan/murmur3.ts';
import { operatorsOf } from '../../../lib/flink/plan/operators.ts';
import { FLINKS } from '../../state/metadata/recorded.ts';
import { plansOf } from './recorded.ts';

describe('the hash that Flink makes ids with', () => {
  it.each([
    // The vertex of a source without uid that nothing is chained to has this id in every job.
    [Buffer.alloc(4), 'bc764cd8ddf7a0cff126f51c16239658'],
    [Buffer.alloc(8), 'cbc357ccb763df2852fee8c4fc7d55f2'],
    [Buffer.from('numbers'), 'ca88eee0095684d687a1b6495617f957'],
    [Buffer.from('sums'), 'a0f90dae8f3f5f042400509da0ac0fbb'],
  ])('of %j', (bytes, id) => {
    expect(murmur3(bytes).toString('hex')).toBe(id);
  });
});

describe.each(FLINKS)('the operators of a job of Flink %s', (flink) => {
  it.each(['counting', 'bare', 'forked'])('%s, are those of its job graph', (shape) => {
    const { chained, unchained, operators } = plansOf(flink, shape);
    const { ids, isComplete } = operatorsOf(chained, unchained);
    expect(isComplete).toBe(true);
    expect([...ids].sort()).toEqual([...operators].sort());
  });

  it('without uid have their names', () => {
    const { chained, unchained } = plansOf(flink, 'counting');
    expect(operatorsOf(chained, unchained).withoutUid).toEqual(['pace', 'Sink: Writer']);
  });

  it('are not all known where a plan has chains still, or is not that of the same job', () => {
    const { chained, unchained } = plansOf(flink, 'counting');
    expect(operatorsOf(chained, chained)).toEqual({ ids: [], withoutUid: [], isComplete: false });
    const other = plansOf(flink, 'forked').chained;
    expect(operatorsOf(other, unchained)).toMatchObject({ isComplete: false });
    const [first] = unchained;
    const circle = unchained.map((node) => ({ ...node, inputs: [first?.id ?? ''] }));
    expect(operatorsOf(chained, circle)).toMatchObject({ isComplete: false });
  });
});
