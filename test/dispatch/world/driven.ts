import { Draws } from '../../prove/draws.ts';
import type { FaultKind } from '../../prove/faults.ts';
import { Invocation, Simulation, type Effect } from '../../prove/simulation.ts';

/** A call of the test itself: the world goes on while it waits. */
export class Caller extends Invocation {}

/** The simulation of `prove`, which nobody has to step while a test waits for its own call. */
export class DrivenSimulation extends Simulation {
  override effect<T>(invocation: Invocation, effect: Effect<T>): Promise<T> {
    return this.driven(invocation, super.effect(invocation, effect));
  }

  override clock(invocation: Invocation): ReturnType<Simulation['clock']> {
    const clock = super.clock(invocation);
    return { ...clock, sleep: (ms) => this.driven(invocation, clock.sleep(ms)) };
  }

  private async driven<T>(invocation: Invocation, asked: Promise<T>): Promise<T> {
    if (!(invocation instanceof Caller)) return asked;
    let settled = false;
    const settle = (): void => void (settled = true);
    asked.then(settle, settle);
    while (!settled && (await this.step()));
    return asked;
  }
}

/** No chance: everything takes the mean of its time, and what is rarer than every other time does not happen. */
export class Means extends Draws {
  private readonly certain: ReadonlySet<string>;

  /** `certain`: questions of which the answer is yes. */
  constructor(certain: readonly string[] = []) {
    super(0);
    this.certain = new Set(certain);
  }

  override of(question: string): number {
    return this.certain.has(question) ? 0 : 0.5;
  }
}

/** What a test plans to go wrong, or to do in between, at requests of functions. */
export class Plans {
  private planned: {
    readonly at: RegExp;
    readonly then: (question: string) => FaultKind | undefined;
    times: number;
  }[] = [];

  /** What `then` says at the requests whose name matches: `s3 put runs/…`, `k8s POST deployments/…`, `flink look …`. */
  when(at: RegExp, then: (question: string) => FaultKind | undefined, times = Infinity): void {
    this.planned.push({ at, times, then });
  }

  strike(at: RegExp, kind: FaultKind, times = 1): void {
    this.when(at, () => kind, times);
  }

  /** Before the next such request. */
  before(at: RegExp, act: () => unknown): void {
    this.when(at, () => void act(), 1);
  }

  /** All goes well from here on. */
  clear(): void {
    this.planned = [];
  }

  at(question: string): FaultKind | undefined {
    const plan = this.planned.find(({ at, times }) => times > 0 && question.includes(' · ') && at.test(question));
    if (plan === undefined) return undefined;
    plan.times -= 1;
    return plan.then(question);
  }
}
