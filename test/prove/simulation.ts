import type { Clock } from '../../lib/core/clock.ts';
import type { Draws } from './draws.ts';
import type { FaultKind, FaultPlan } from './faults.ts';

interface Timed {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** One line of the story: when, who, what. */
export interface Told {
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** A run of a function: dies by a crash or at its timeout, and then nothing of it happens any more. */
export class Invocation {
  readonly label: string;
  alive = true;
  private readonly counts = new Map<string, number>();

  /** Names of the messages that it was called with. */
  readonly messages: readonly string[];

  constructor(label: string, messages: readonly string[] = []) {
    this.label = label;
    this.messages = messages;
  }

  /** Names the question of one effect: who, what, and the how manieth time. */
  question(what: string): string {
    const count = (this.counts.get(what) ?? 0) + 1;
    this.counts.set(what, count);
    return `${this.label} · ${what} #${count}`;
  }
}

/** How a service answers when something goes wrong. */
export interface Failures {
  readonly refused: () => unknown;
  readonly throttled: () => unknown;
  readonly noAnswer: () => unknown;
  readonly conflict?: () => unknown;
}

export interface Effect<T> {
  /** `s3 put runs/…/record.json` */
  readonly what: string;
  readonly act: () => T;
  readonly kinds: readonly FaultKind[];
  readonly failures: Failures;
  /** Milliseconds, at least and at most, when nothing goes wrong. */
  readonly latency: readonly [number, number];
  /** The answer instead of `act`'s when an entry of a 200 is refused. */
  readonly partial?: () => T;
}

/** What others have to undo. */
const UNDONE = /k8s POST (deployments|configmaps\/start-permit)|s3 put locks\//;
/** Between the look that gives an attempt up and its record, and between a look at a marker and its end. */
const SEALS = /k8s PATCH configmaps\/start-permit|s3 (put runs|delete live)\//;

/** A service that is under load: others get in between the requests of one function. */
export function isSlow(draws: Draws, service: 's3' | 'k8s'): boolean {
  return draws.chance(`${service} is slow`, 0.1);
}

const SLOW = 25;

function stallsAtSeals(draws: Draws): boolean {
  return draws.chance('functions stall at seals', 0.25);
}

const START = Date.parse('2026-11-21T06:00:00Z');

/** Time, and who does what at which time: everything asynchronous of a world goes through here, one thing at a time. */
export class Simulation {
  now = START;
  steps = 0;
  /** Milliseconds of `now` in which nobody did anything. */
  skipped = 0;
  readonly draws: Draws;
  readonly faults: FaultPlan;
  readonly story: Told[] | undefined;
  private readonly stalls: boolean;
  /** Functions stall above all where an attempt is given up. */
  private readonly stallsAtSeals: boolean;
  private readonly slow: readonly string[];
  private readonly heap: Timed[] = [];
  private orders = 0;

  constructor(draws: Draws, faults: FaultPlan, tells: boolean) {
    this.draws = draws;
    this.faults = faults;
    this.story = tells ? [] : undefined;
    this.stalls = draws.chance('functions stall', 0.35);
    this.stallsAtSeals = stallsAtSeals(draws);
    this.slow = (['s3', 'k8s'] as const).filter((service) => isSlow(draws, service));
  }

  get elapsed(): number {
    return this.now - START;
  }

  /** Nobody does anything for that long: what was due meanwhile is due now. */
  skip(ms: number): void {
    this.now += ms;
    this.skipped += ms;
    this.tell('time', `${Math.round(ms / 86_400_000)} days go by`);
  }

  tell(who: string, what: string): void {
    this.story?.push({ at: this.elapsed, who, what });
  }

  after(ms: number, act: () => void): void {
    this.orders += 1;
    push(this.heap, { at: this.now + Math.max(0, ms), order: this.orders, act });
  }

  /** When something is due; absent: never. */
  get nextAt(): number | undefined {
    return this.heap[0]?.at;
  }

  /** Does what is due next; false when nothing ever is. */
  async step(): Promise<boolean> {
    const next = pop(this.heap);
    if (next === undefined) return false;
    this.now = Math.max(this.now, next.at);
    this.steps += 1;
    next.act();
    // Promises that this settled run to their next effect.
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  clock(invocation: Invocation): Clock {
    const skew = Math.round(this.draws.between(`skew ${invocation.label}`, -300, 300));
    return {
      now: () => Math.round(this.now) + skew,
      sleep: (ms) =>
        new Promise((resolve) => {
          this.after(ms, () => {
            if (invocation.alive) resolve();
          });
        }),
    };
  }

  /** One request of a function to a service: takes time, and may go wrong in each of its ways. */
  effect<T>(invocation: Invocation, effect: Effect<T>): Promise<T> {
    if (!invocation.alive) return new Promise(() => undefined);
    const question = invocation.question(effect.what);
    const fault = this.faults.at(question, effect.kinds);
    const request = new Request(this, invocation, effect, question);
    return new Promise((resolve, reject) => {
      const stall = this.stallAt(invocation, question);
      if (stall === 0) return request.go(fault, resolve, reject);
      this.after(stall, () => {
        if (invocation.alive) request.go(fault, resolve, reject);
      });
    });
  }

  /** For how long the function stands still before a request: its environment is frozen, or starved. */
  private stallAt(invocation: Invocation, question: string): number {
    // Between a decision and the effect that others have to undo it matters most.
    const matters = UNDONE.test(question) || (this.stallsAtSeals && SEALS.test(question));
    const weight = matters ? 4 : 0.4;
    if (!this.stalls || this.faults.at(`${question} stalls`, ['stalled'], weight) === undefined) return 0;
    this.tell(invocation.label, 'stands still ⚡stalled');
    return this.draws.between(`stall ${question}`, 1_000, 58_000);
  }

  /** Milliseconds that one request takes when nothing goes wrong. */
  latencyOf({ what, latency: [least, most] }: Pick<Effect<unknown>, 'what' | 'latency'>, question: string): number {
    const isUnderLoad = this.slow.some((service) => what.startsWith(`${service} `));
    return this.draws.between(`latency ${question}`, least, isUnderLoad ? SLOW * most : most);
  }

  kill(invocation: Invocation, why: string): void {
    if (!invocation.alive) return;
    invocation.alive = false;
    this.tell(invocation.label, `✝ ${why}`);
  }
}

class Request<T> {
  private readonly sim: Simulation;
  private readonly invocation: Invocation;
  private readonly effect: Effect<T>;
  private readonly question: string;

  constructor(sim: Simulation, invocation: Invocation, effect: Effect<T>, question: string) {
    this.sim = sim;
    this.invocation = invocation;
    this.effect = effect;
    this.question = question;
  }

  go(fault: FaultKind | undefined, resolve: (value: T) => void, reject: (error: unknown) => void): void {
    const { sim, effect, question } = this;
    const { draws } = sim;
    const usual = sim.latencyOf(effect, question);
    const fail = (error: () => unknown, after: number): void =>
      sim.after(after, () => {
        if (this.tell(fault)) reject(error());
      });
    switch (fault) {
      case 'refused':
        return fail(effect.failures.refused, usual);
      case 'throttled':
        return fail(effect.failures.throttled, usual);
      case 'conflict':
        return fail(effect.failures.conflict ?? effect.failures.refused, usual);
      case 'lost':
        sim.after(usual, () => this.actSilently(fault));
        return fail(effect.failures.noAnswer, usual + draws.between(`lost ${question}`, 500, 6_000));
      case 'late':
        sim.after(usual + draws.between(`late ${question}`, 4_000, 20_000), () => this.actSilently(fault));
        return fail(effect.failures.noAnswer, usual + 3_000);
      case 'crash-before':
        return sim.after(usual, () => sim.kill(this.invocation, `dies before ${effect.what}`));
      case 'crash-after':
        return sim.after(usual, () => {
          this.actSilently(fault);
          sim.kill(this.invocation, `dies after ${effect.what}`);
        });
      case 'resent':
        sim.after(usual, () => this.actSilently(fault));
        return this.answer(usual + 200, 0, fault, resolve, reject);
      case 'partial':
        return sim.after(usual, () => {
          if (this.tell(fault) && effect.partial !== undefined) resolve(effect.partial());
        });
      case 'slow': {
        const slow = draws.between(`slow ${question}`, 2_000, 50_000);
        const share = draws.of(`share ${question}`);
        return this.answer(usual + slow * share, slow * (1 - share), fault, resolve, reject);
      }
      default: {
        // Now and then others get in between the effect and its answer.
        const apart = draws.chance(`apart ${question}`, 0.2) ? usual / 2 : 0;
        return this.answer(usual - apart, apart, fault, resolve, reject);
      }
    }
  }

  private answer(
    sent: number,
    back: number,
    fault: FaultKind | undefined,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    this.sim.after(sent, () => {
      // The function died while this was under way: it had left, or had not.
      if (!this.invocation.alive && this.sim.draws.chance(`left ${this.question}`, 0.5)) return;
      const settled = this.act(fault);
      if (!this.invocation.alive) return;
      const settle = (): void => {
        if (!this.invocation.alive) return;
        if (settled.failed) reject(settled.error);
        else resolve(settled.value);
      };
      if (back === 0) settle();
      else this.sim.after(back, settle);
    });
  }

  private act(fault: FaultKind | undefined): { failed: false; value: T } | { failed: true; error: unknown } {
    try {
      const value = this.effect.act();
      this.tell(fault);
      return { failed: false, value };
    } catch (error) {
      this.tell(fault, ` → ${nameOf(error)}`);
      return { failed: true, error };
    }
  }

  private actSilently(fault: FaultKind): void {
    try {
      this.effect.act();
      this.tell(fault);
    } catch (error) {
      this.tell(fault, ` → ${nameOf(error)}`);
    }
  }

  /** Whether the caller is alive to hear of it. */
  private tell(fault: FaultKind | undefined, more = ''): boolean {
    const mark = fault === undefined ? '' : ` ⚡${fault}`;
    this.sim.tell(this.invocation.label, `${this.effect.what}${more}${mark}`);
    return this.invocation.alive;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

function before(a: Timed, b: Timed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Timed[], item: Timed): void {
  let index = heap.push(item) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(item, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = item;
}

function pop(heap: Timed[]): Timed | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    const left = heap[child];
    if (left === undefined) break;
    const right = heap[child + 1];
    const smaller = right !== undefined && before(right, left) ? right : left;
    if (smaller === right) child += 1;
    if (!before(smaller, last)) break;
    heap[index] = smaller;
    index = child;
  }
  heap[index] = last;
  return first;
}
