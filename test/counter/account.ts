/** What Counter.java tells of itself, at the time at which it was heard (milliseconds since the epoch). */
export type Testimony = Speaker &
  (
    | { readonly kind: 'open'; readonly position: number; readonly restored?: number }
    | { readonly kind: 'number'; readonly number: number; readonly count: number; readonly sum: number }
    | { readonly kind: 'checkpoint'; readonly checkpoint: number; readonly position: number }
  );

export type Variant = 'first' | 'changed' | 'retyped' | 'renamed' | 'failing';

interface Speaker {
  readonly at: number;
  /** One for each time that the job's tasks were begun. */
  readonly life: string;
  readonly job: string;
  readonly pod: string;
  readonly variant: Variant;
}

interface Heard {
  readonly number: number;
  readonly at: number;
}

/** From one beginning of the job's tasks to the next. */
export interface Life {
  readonly id: string;
  readonly job: string;
  readonly pod: string;
  readonly variant: Variant;
  readonly opened: number;
  /** The number up to which its state had counted when it began, and the checkpoint that it was of. */
  readonly from: number;
  readonly restored?: number;
  readonly first?: Heard;
  readonly last?: Heard;
  /** The newest checkpoint that it heard of as complete. */
  readonly checkpoint?: { readonly id: number; readonly position: number; readonly at: number };
}

/** All that was heard: bounded by the number of lives, whatever the number of records. */
export interface Account {
  readonly lives: readonly Life[];
  /** What must not be, each in a sentence. */
  readonly faults: readonly string[];
}

export const NOTHING_HEARD: Account = { lives: [], faults: [] };
const KEYS = 3;

export function hear(account: Account, told: Testimony): Account {
  if (told.kind === 'open') return begin(account, told);
  const life = account.lives.at(-1);
  if (life?.id !== told.life)
    return fault(account, `two jobs at once: ${told.life} spoke after ${life?.id ?? 'none'} began`);
  if (told.kind === 'checkpoint') {
    const { checkpoint: id, position, at } = told;
    return replaceLast(account, { ...life, checkpoint: { id, position, at } });
  }
  const heard = { number: told.number, at: told.at };
  const next = replaceLast(account, { ...life, first: life.first ?? heard, last: heard });
  return [...orderFaults(life, told.number), ...stateFaults(told)].reduce(fault, next);
}

function begin(account: Account, told: Testimony & { readonly kind: 'open' }): Account {
  const { life: id, job, pod, variant, at: opened, position: from, restored } = told;
  const before = account.lives.at(-1);
  const life: Life = { id, job, pod, variant, opened, from, ...(restored !== undefined && { restored }) };
  const lives = [...account.lives, life];
  return beginFaults(account.lives, life, before).reduce(fault, { ...account, lives });
}

/** It goes on where the last complete checkpoint was, or later, and leaves nothing out. */
function beginFaults(lives: readonly Life[], { from, id }: Life, before: Life | undefined): string[] {
  const saved = Math.max(0, ...lives.map(({ checkpoint }) => checkpoint?.position ?? 0));
  const said = before?.last?.number ?? before?.from ?? 0;
  if (from < saved) return [`from before the last complete checkpoint: ${id} began at ${from}, saved was ${saved}`];
  return from > said ? [`a gap: ${id} began at ${from}, the one before it ended at ${said}`] : [];
}

function orderFaults({ id, from, last }: Life, number: number): string[] {
  const expected = (last?.number ?? from) + 1;
  if (number === expected) return [];
  return [`${number > expected ? 'a gap' : 'a repetition'}: ${id} came to ${number}, expected was ${expected}`];
}

/** Each key's count and sum follow from the number: anything lost or counted twice, at any time, shows. */
function stateFaults(told: Testimony & { readonly kind: 'number' }): string[] {
  const { number, count, sum, variant } = told;
  const first = number % KEYS === 0 ? KEYS : number % KEYS;
  const counted = (number - first) / KEYS + 1;
  const total = ((first + number) * counted) / 2;
  const said = variant === 'changed' ? 2 * total : total;
  if (count === counted && sum === said) return [];
  return [`state: at ${number} count ${count} and sum ${sum}, expected were ${counted} and ${said}`];
}

function fault(account: Account, what: string): Account {
  return { ...account, faults: [...account.faults, what].slice(0, 20) };
}

function replaceLast(account: Account, life: Life): Account {
  return { ...account, lives: [...account.lives.slice(0, -1), life] };
}

/** Milliseconds from the last number of a life to the first of the next; none while one of both is not heard. */
export function downtime(before: Life, after: Life): number | undefined {
  if (before.last === undefined || after.first === undefined) return undefined;
  return after.first.at - before.last.at;
}

/** Whether it goes on with the number after the last one: nothing said twice, either. */
export function goesOnExactly(before: Life, after: Life): boolean {
  return after.first !== undefined && after.first.number === (before.last?.number ?? 0) + 1;
}
