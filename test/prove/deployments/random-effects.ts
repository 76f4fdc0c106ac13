import { DispatchError } from '../../../lib/core/errors.ts';
import type { Reason } from '../../../lib/core/reasons.ts';
import { Effects } from '../../dispatch/scripted/effects.ts';
import type { Draws } from '../draws.ts';

/** Lets any effect go wrong, before or after it takes place, until faults are over. */
export class RandomEffects extends Effects {
  over = false;
  count = 0;
  private readonly draws: Draws;
  private readonly rate: number;

  constructor(draws: Draws, rate: number) {
    super();
    this.draws = draws;
    this.rate = rate;
  }

  override async run<T>(name: string, reason: Reason, work: () => Promise<T>): Promise<T> {
    if (this.crashed) throw new Error(`${name}: the function is dead (test)`);
    const number = this.names.push(name) - 1;
    const when =
      this.over || !this.draws.chance(`fault ${number}`, this.rate)
        ? undefined
        : this.draws.pick(`when ${number}`, ['before', 'after']);
    if (when === 'before') this.fail(number, name, reason);
    try {
      return await work();
    } finally {
      if (when === 'after') this.fail(number, name, reason);
    }
  }

  private fail(number: number, name: string, reason: Reason): never {
    this.struck = true;
    this.count += 1;
    if (this.draws.chance(`crash ${number}`, 0.5)) {
      this.crashed = true;
      throw new Error(`${name}: the function died (test)`);
    }
    throw new DispatchError(reason, `${name}: the answer was lost (test)`);
  }
}
