import { DispatchError } from '../../../lib/core/errors.ts';
import type { Reason } from '../../../lib/core/reasons.ts';

/** The function died: no effect of it comes through any more. */
class Crash extends Error {
  override readonly name = 'Crash';
}

export interface PlannedFault {
  /** The effect's number, from 0, in the order in which they are begun. */
  readonly at: number;
  /** `before`: nothing happened. `after`: it happened, and the answer was lost. */
  readonly when: 'before' | 'after';
  /** `error`: this one call fails. `crash`: the function ends here. */
  readonly kind: 'error' | 'crash';
}

/** All that can go wrong once, at any one effect. */
export const SINGLE_FAULTS = (['error', 'crash'] as const).flatMap((kind) =>
  (['before', 'after'] as const).map((when): Omit<PlannedFault, 'at'> => ({ kind, when })),
);

/** Counts every call that leaves the product, and lets one of them go wrong. */
export class Effects {
  /** `port.method` of each effect, in order. */
  readonly names: string[] = [];
  crashed = false;
  /** True once the planned fault has happened. */
  struck = false;
  private readonly fault: PlannedFault | undefined;

  constructor(fault?: PlannedFault) {
    this.fault = fault;
  }

  /** The port with each of its methods counted. */
  watch<T extends object>(port: string, target: T, reason: Reason): T {
    return new Proxy(target, {
      get: (object, key) => {
        const member: unknown = Reflect.get(object, key, object);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) =>
          this.run(`${port}.${String(key)}`, reason, () => Promise.resolve(Reflect.apply(member, object, args)));
      },
    });
  }

  async run<T>(name: string, reason: Reason, work: () => Promise<T>): Promise<T> {
    if (this.crashed) throw new Crash(name);
    const number = this.names.push(name) - 1;
    const fault = this.fault?.at === number ? this.fault : undefined;
    if (fault?.when === 'before') this.strike(fault, name, reason);
    try {
      return await work();
    } finally {
      if (fault?.when === 'after') this.strike(fault, name, reason);
    }
  }

  private strike(fault: PlannedFault, name: string, reason: Reason): never {
    this.struck = true;
    if (fault.kind === 'error') throw new DispatchError(reason, `${name}: the answer was lost (test)`);
    this.crashed = true;
    throw new Crash(name);
  }
}
