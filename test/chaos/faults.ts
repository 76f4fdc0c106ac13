import { setTimeout as sleep } from 'node:timers/promises';
import type { Draws } from '../prove/draws.ts';
import type { Server } from './servers.ts';

/** What happens to one invocation; milliseconds. */
export type Fault = { readonly kind: 'none' } | { readonly kind: 'kill'; readonly after: number } | FreezeFault;
interface FreezeFault {
  readonly kind: 'freeze';
  readonly after: number;
  readonly for: number;
}

export interface Counts {
  /** By function, and by server. */
  readonly killed: Record<string, number>;
  readonly frozen: Record<string, number>;
  readonly restarted: Record<string, number>;
  invocations: number;
  /** The same message to two functions at once, or once more after it was done. */
  duplicates: number;
}

export interface Rates {
  /** Of invocations. */
  readonly kill: number;
  readonly freeze: number;
  readonly duplicate: number;
}

/** Decides by the seed what happens to invocations; counts what did. */
export class Faults {
  readonly counts: Counts = { killed: {}, frozen: {}, restarted: {}, invocations: 0, duplicates: 0 };
  private readonly draws: Draws;
  private readonly rates: Rates;
  private readonly typical = new Map<string, number>();
  private readonly asked = new Map<string, number>();
  private over = false;

  constructor(draws: Draws, rates: Rates) {
    this.draws = draws;
    this.rates = rates;
  }

  /** No more of them. */
  stop(): void {
    this.over = true;
  }

  get stopped(): boolean {
    return this.over;
  }

  /** `frozenFor`: longer than the message stays invisible. */
  next(name: string, frozenFor: number): Fault {
    const which = this.question(name, 'fault');
    const chance = this.draws.of(which);
    if (this.over || chance >= this.rates.kill + this.rates.freeze) return { kind: 'none' };
    const after = this.moment(name, which);
    return chance < this.rates.kill ? { kind: 'kill', after } : { kind: 'freeze', after, for: frozenFor };
  }

  duplicates(name: string): boolean {
    return !this.over && this.draws.chance(this.question(name, 'duplicate'), this.rates.duplicate);
  }

  /** Of invocations that came to their end. */
  lasted(name: string, ms: number): void {
    const known = this.typical.get(name) ?? ms;
    this.typical.set(name, known + (ms - known) / 8);
  }

  /** Ends and begins servers again, one of them at a time, until there are to be no more faults. */
  async restart(servers: readonly Restartable[]): Promise<void> {
    await Promise.all(servers.map((server) => this.restartNowAndThen(server)));
  }

  private async restartNowAndThen({ server, every, down }: Restartable): Promise<void> {
    while (!this.over) {
      const which = this.question(server.name, 'restart');
      const until = Date.now() + every * this.draws.between(`${which} when`, 0.5, 1.5);
      while (!this.over && Date.now() < until) await sleep(100);
      if (this.over) return;
      await server.kill();
      await sleep(this.draws.between(`${which} down`, 0, down));
      await server.start();
      count(this.counts.restarted, server.name);
    }
  }

  /** Anywhere in a typical invocation, every other time near its begin, where more happens. */
  private moment(name: string, which: string): number {
    const typical = this.typical.get(name) ?? 200;
    const x = this.draws.of(`${which} when`);
    return this.draws.chance(`${which} early`, 0.5) ? typical ** x : typical * x;
  }

  private question(name: string, what: string): string {
    const key = `${name} ${what}`;
    const number = (this.asked.get(key) ?? 0) + 1;
    this.asked.set(key, number);
    return `${key} ${number}`;
  }
}

export interface Restartable {
  readonly server: Pick<Server, 'name' | 'kill' | 'start'>;
  /** Milliseconds, on average; and at most. */
  readonly every: number;
  readonly down: number;
}

export function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
