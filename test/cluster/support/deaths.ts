/** What a function whose process was killed is left with: nothing that it begins takes place. */
class Killed extends Error {
  override readonly name = 'Killed';
}

/** One invocation of a function: dead from some moment on, or alive to its end. */
export interface Life {
  dead: boolean;
}

/** They change nothing outside: to be killed before or after one is to be killed beside an effect. */
const READS =
  /^(read|look|list|observe|tail|overview|status|checkpoints|savepoints|get|remains|requirements|vertices|exceptions|logs?)/;

/**
 * Kills functions once before and once after each kind of effect, from the moment on at which it is armed. A kind is the
 * port and the method, and for records their state as well: each step of an upgrade is struck on both of its sides.
 */
export class Deaths {
  armed = false;
  /** The moments at which somebody died. */
  readonly struck: string[] = [];
  /** Hears of each effect that took place: `flink.stop`, `ledger.replace running`. */
  onEffect: (kind: string) => void = () => undefined;

  /** The port as that invocation has it. Ports that a method answers with have to be guarded by themselves. */
  guard<P extends object>(port: P, name: string, life: Life): P {
    return new Proxy(port, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function' || typeof key !== 'string') return member;
        return (...args: unknown[]) => this.call(() => Reflect.apply(member, target, args), name, key, args, life);
      },
    });
  }

  /** A function that is a port by itself. */
  guardCall<A extends unknown[], R>(
    call: (...args: A) => Promise<R>,
    name: string,
    life: Life,
  ): (...args: A) => Promise<R> {
    return (...args) => this.call(() => call(...args), name, 'call', args, life) as Promise<R>;
  }

  private call(work: () => unknown, port: string, method: string, args: readonly unknown[], life: Life): unknown {
    if (life.dead) return Promise.reject(new Killed('the process is gone'));
    if (READS.test(method)) return work();
    return this.effect(work, `${port}.${method}${stateIn(args[0])}`, life);
  }

  private async effect(work: () => unknown, kind: string, life: Life): Promise<unknown> {
    this.strike(`before ${kind}`, life);
    const answer = await work();
    this.onEffect(kind);
    if (life.dead) throw new Killed('the process is gone');
    this.strike(`after ${kind}`, life);
    return answer;
  }

  private strike(moment: string, life: Life): void {
    if (!this.armed || this.struck.includes(moment)) return;
    this.struck.push(moment);
    life.dead = true;
    throw new Killed(`killed ${moment}`);
  }
}

function stateIn(argument: unknown): string {
  const state = (argument as { readonly state?: unknown } | undefined)?.state;
  return typeof state === 'string' ? ` ${state}` : '';
}
