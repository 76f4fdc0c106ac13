import type { Draws } from './draws.ts';

/**
 * What can go wrong, by where. Of a request: `refused` (an error answer, nothing happened), `throttled`, `lost` (it
 * happened, the answer did not come), `late` (the caller gave up, and it happens afterwards), `slow`, `resent` (the SDK
 * sends it again because the first answer was lost), `conflict` (409 of a conditional write), `partial` (a 200 that
 * refused the entry), `crash-before` and `crash-after` (the function dies).
 */
export const FAULT_KINDS = [
  'refused',
  'throttled',
  'lost',
  'late',
  'slow',
  'resent',
  'conflict',
  'partial',
  'crash-before',
  'crash-after',
  // of a queue
  'duplicated',
  'delayed',
  'shown-early',
  'not-deleted',
  'message-lost',
  // of a function
  'frozen',
  'stalled',
  // of Kubernetes
  'name-taken',
  'deleted-by-someone',
  'deletion-stuck',
  'pod-evicted',
  'jobmanager-killed',
  'killed-after-end',
  'rights-gone',
  // of Flink
  'job-forgotten',
  'rest-silent',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  /** The question at which it struck; the same in every replay. */
  readonly at: string;
  readonly kind: FaultKind;
}

/** What strikes beside a list of faults; asked once for every question, in their order. */
export type Script = (question: string, kinds: readonly FaultKind[]) => FaultKind | undefined;

/** Decides which faults strike: by chance, or as a list says. */
export class FaultPlan {
  readonly struck: Fault[] = [];
  /** Where a list was followed: every question, and all that could have struck there. */
  private readonly asked: (readonly [question: string, kinds: readonly FaultKind[]])[] = [];
  /** After this many, all goes well: whatever happened before has to come to an end. */
  private readonly most: number;
  private readonly known = new Map<string, FaultKind>();
  private readonly draws: Draws;
  private readonly rate: number;
  private readonly enabled: ReadonlySet<FaultKind>;
  private readonly listed: ReadonlyMap<string, FaultKind> | undefined;
  private readonly script: Script | undefined;

  constructor(
    draws: Draws,
    options: {
      readonly rate: number;
      readonly most: number;
      readonly list?: readonly Fault[];
      readonly script?: Script;
    },
  ) {
    this.draws = draws;
    this.rate = options.rate;
    this.most = options.most;
    this.script = options.script;
    this.listed = options.list && new Map(options.list.map(({ at, kind }) => [at, kind]));
    // Each world has kinds of its own: what always comes together hides what each does alone.
    this.enabled = new Set(FAULT_KINDS.filter((kind) => draws.chance(`enabled ${kind}`, 0.5)));
  }

  /** Questions so far; always 0 where no list was followed. */
  get count(): number {
    return this.asked.length;
  }

  /** Every fault that could have struck at these questions. */
  possible(from = 0, to = Infinity): readonly Fault[] {
    return this.asked.slice(from, to).flatMap(([at, kinds]) => kinds.map((kind) => ({ at, kind })));
  }

  /** `weight` 1: as likely as the world's rate. */
  at(question: string, kinds: readonly FaultKind[], weight = 1): FaultKind | undefined {
    const known = this.known.get(question);
    if (known !== undefined) return known;
    const kind = this.listed === undefined ? this.drawn(question, kinds, weight) : this.fromList(question, kinds);
    if (kind === undefined) return undefined;
    this.known.set(question, kind);
    this.struck.push({ at: question, kind });
    return kind;
  }

  private fromList(question: string, kinds: readonly FaultKind[]): FaultKind | undefined {
    this.asked.push([question, kinds]);
    return this.listed?.get(question) ?? this.script?.(question, kinds);
  }

  private drawn(question: string, kinds: readonly FaultKind[], weight: number): FaultKind | undefined {
    if (this.struck.length >= this.most || !this.draws.chance(`fault ${question}`, this.rate * weight))
      return undefined;
    const [first, ...rest] = kinds.filter((kind) => this.enabled.has(kind));
    return first === undefined ? undefined : this.draws.pick(`kind ${question}`, [first, ...rest]);
  }
}
