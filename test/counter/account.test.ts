import { describe, expect, it } from 'vitest';
import { downtime, goesOnExactly, hear, NOTHING_HEARD, type Account, type Testimony } from './account.ts';

type Told = Testimony extends infer T
  ? T extends Testimony
    ? Omit<T, 'at' | 'job' | 'pod' | 'variant'>
    : never
  : never;

/** Each is heard ten milliseconds after the one before. */
function heard(told: readonly Told[], variant: Testimony['variant'] = 'first'): Account {
  return told.reduce<Account>(
    (account, one, index) => hear(account, { ...one, at: index * 10, job: 'job', pod: 'pod', variant }),
    NOTHING_HEARD,
  );
}

const open = (life: string, position: number): Told => ({ life, kind: 'open', position });
const checkpoint = (life: string, position: number): Told => ({ life, kind: 'checkpoint', checkpoint: 7, position });
/** With the count and the sum that a job without a fault has. */
function number(life: string, value: number): Told {
  const all = Array.from({ length: value }, (_, index) => index + 1).filter((one) => one % 3 === value % 3);
  return { life, kind: 'number', number: value, count: all.length, sum: all.reduce((sum, one) => sum + one, 0) };
}
const numbers = (life: string, from: number, to: number): Told[] =>
  Array.from({ length: to - from + 1 }, (_, index) => number(life, from + index));

describe('the account of a counting job', () => {
  it('finds nothing wrong with a job that goes on exactly where the one before it stopped', () => {
    const { lives, faults } = heard([open('a', 0), ...numbers('a', 1, 9), open('b', 9), ...numbers('b', 10, 14)]);
    expect(faults).toEqual([]);
    const [a, b] = lives;
    expect(a !== undefined && b !== undefined && goesOnExactly(a, b)).toBe(true);
    expect(a !== undefined && b !== undefined && downtime(a, b)).toBe(20);
  });

  it('finds nothing wrong with numbers that come again after the last complete checkpoint', () => {
    const told = [open('a', 0), ...numbers('a', 1, 5), checkpoint('a', 4), ...numbers('a', 6, 8)];
    const { lives, faults } = heard([...told, open('b', 4), ...numbers('b', 5, 9)]);
    expect(faults).toEqual([]);
    const [a, b] = lives;
    expect(a !== undefined && b !== undefined && goesOnExactly(a, b)).toBe(false);
    expect(b).toBeDefined();
  });

  it('finds a start from before the last complete checkpoint, also one from nothing', () => {
    const told = [open('a', 0), ...numbers('a', 1, 5), checkpoint('a', 4)];
    expect(heard([...told, open('b', 3)]).faults).toEqual([
      'from before the last complete checkpoint: b began at 3, saved was 4',
    ]);
    expect(heard([...told, open('b', 4), open('c', 0)]).faults).toHaveLength(1);
  });

  it('finds a gap between two lives and within one, and a repetition within one', () => {
    const told = [open('a', 0), ...numbers('a', 1, 2)];
    expect(heard([...told, open('b', 5)]).faults).toEqual(['a gap: b began at 5, the one before it ended at 2']);
    expect(heard([...told, number('a', 4)]).faults).toEqual(['a gap: a came to 4, expected was 3']);
    expect(heard([...told, number('a', 2)]).faults).toEqual(['a repetition: a came to 2, expected was 3']);
  });

  it('finds two jobs at once', () => {
    expect(heard([open('a', 0), number('a', 1), open('b', 1), number('a', 2)]).faults).toEqual([
      'two jobs at once: a spoke after b began',
    ]);
  });

  it('finds a count or a sum that lost something or has it twice', () => {
    const wrong = { ...number('a', 2), sum: 4 } as Told;
    expect(heard([open('a', 0), number('a', 1), wrong]).faults).toEqual([
      'state: at 2 count 1 and sum 4, expected were 1 and 2',
    ]);
  });

  it('knows that the changed job says twice the sum', () => {
    expect(heard([open('a', 0), number('a', 1)], 'changed').faults).toHaveLength(1);
    expect(heard([open('a', 0), { ...number('a', 1), sum: 2 } as Told], 'changed').faults).toEqual([]);
  });
});
