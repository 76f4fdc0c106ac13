import { describe, expect, it } from 'vitest';
import { compareState } from '../../lib/deployment/check/state-check.ts';
import { operatorsOf } from '../../lib/flink/plan/operators.ts';
import { readMetadata, type OperatorContent } from '../../lib/state/metadata/read-metadata.ts';
import { plansOf } from '../flink/plan/recorded.ts';
import { FLINKS, metadataOf } from '../state/metadata/recorded.ts';

const REFUSED = { isAllowed: false };
const planned = (ids: readonly string[], withoutUid: readonly string[] = []) => ({ ids, withoutUid, isComplete: true });

function operator(change: Partial<OperatorContent> & Pick<OperatorContent, 'id'>): OperatorContent {
  return { parallelism: 1, maxParallelism: 128, bytes: 9, hasState: true, ...change };
}

function content(...operators: readonly OperatorContent[]) {
  return { version: 6, checkpointId: 1, operators };
}

describe('a state and the program that is to take it', () => {
  it.each(FLINKS)('fit where the program is the one that wrote it, with or without uids (Flink %s)', (flink) => {
    const { chained, unchained } = plansOf(flink, 'counting');
    const state = readMetadata(metadataOf(flink, 'rocksdb'));
    expect(compareState(state, operatorsOf(chained, unchained), REFUSED)).toEqual({ result: 'fits' });
    const other = plansOf(flink, 'forked');
    const { result, message } = compareState(state, operatorsOf(other.chained, other.unchained), REFUSED);
    expect(result).toBe('drops');
    expect(message).toContain('operator a0f90dae8f3f5f042400509da0ac0fbb');
    expect(message).toContain("It has operators without uid, whose ids change with the shape of the job: 'Source");
  });

  it('do not fit where an operator with state is missed, which is named by what it has', () => {
    const state = content(
      operator({ id: 'a', uid: 'sums', name: 'Sums' }),
      operator({ id: 'b', name: 'Pace' }),
      operator({ id: 'c' }),
      operator({ id: 'd', hasState: false }),
    );
    expect(compareState(state, planned(['x']), REFUSED)).toEqual({
      result: 'drops',
      message:
        "The new program has no operator for the state of operator a with uid 'sums' (9 bytes), " +
        "operator b 'Pace' without uid (9 bytes), operator c (9 bytes)",
    });
    expect(compareState(state, planned(['a', 'b', 'c']), REFUSED)).toEqual({ result: 'fits' });
  });

  it('name a few of many', () => {
    const state = content(...Array.from({ length: 9 }, (_, index) => operator({ id: `o${index}` })));
    const { message = '' } = compareState(state, planned([]), REFUSED);
    expect(message).toMatch(/operator o4 \(9 bytes\) and 4 more$/);
    const long = content(operator({ id: 'a', uid: 'u'.repeat(60_000) }));
    expect(compareState(long, planned([]), REFUSED).message?.length).toBeLessThan(300);
  });

  it('may not fit where that is allowed, and it is said what is left out', () => {
    const state = content(operator({ id: 'a', uid: 'sums' }));
    expect(compareState(state, planned([]), { isAllowed: true })).toEqual({
      result: 'fits',
      message: "The state of operator a with uid 'sums' (9 bytes) is left out, as job.allowNonRestoredState has it",
    });
  });

  it('are not compared where not all operators of the program are known', () => {
    const state = content(operator({ id: 'a' }));
    const some = { ...planned(['b']), isComplete: false };
    expect(compareState(state, some, REFUSED)).toMatchObject({ result: 'unknown' });
    expect(compareState(state, { ...some, ids: ['a'] }, REFUSED)).toEqual({ result: 'fits' });
  });
});
