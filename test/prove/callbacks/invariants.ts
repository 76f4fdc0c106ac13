import { callbackOf, openCallbacks } from '../../../lib/run/callbacks.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { TaskAnswer } from '../servers/step-functions.ts';
import type { World } from '../world.ts';
import { tokensBeside } from './tasks.ts';

/** Who waits for the end of a run is told of it, as it was, and not before. */
export class CallbackInvariants {
  private readonly world: World;
  /** The names of the wishes that they came with. */
  private readonly sent = new Map<string, string>();

  constructor(world: World) {
    this.world = world;
    world.tasks.onAnswer = (answer) => this.onAnswer(answer);
  }

  /** A task begins, and sends its message. */
  onSent(taskToken: string, name: string): void {
    if (this.sent.has(taskToken)) return;
    this.sent.set(taskToken, name);
    this.world.tasks.begin(taskToken);
  }

  atRest(): void {
    const { records } = this.world.invariants;
    for (const run of records.values()) {
      const open = openCallbacks(run).map(({ taskToken }) => taskToken);
      this.check('a closed run has nobody wait for it', open.length === 0, () => `${run.name}: ${open.join(', ')}`);
    }
    const gaveUp = [this.world.jobQueue, this.world.betaQueue, this.world.runQueue].some(
      ({ failed }) => failed.length > 0,
    );
    if (gaveUp) return;
    for (const [taskToken, name] of this.sent) {
      if (this.world.invariants.wasLost(name)) continue;
      const isTold = !this.world.tasks.isWaiting(taskToken) || this.isLetter(taskToken);
      this.check('a task is told of the end of its run', isTold, () => taskToken);
    }
  }

  private onAnswer({ taskToken, told }: TaskAnswer): void {
    const ends = this.runsOf(taskToken).map(({ outcome }) =>
      outcome?.state === 'succeeded' ? 'succeeded' : outcome?.reason,
    );
    this.check(
      'a task is told what is on record',
      ends.some((end) => end === told),
      () => `${taskToken}: ${told}, not ${ends.join()}`,
    );
  }

  /**
   * Those that have it, or the other token of the same request: one that comes to a closed run is on no record. Several where
   * its message came twice and has no key.
   */
  private runsOf(taskToken: string): readonly RunRecord[] {
    const ids = tokensBeside(taskToken).map((token) => callbackOf(token).id);
    const { records } = this.world.invariants;
    return [...records.values()].filter(({ callbacks = [] }) => callbacks.some(({ id }) => ids.includes(id)));
  }

  private isLetter(taskToken: string): boolean {
    return this.world.letters.some(({ body }) => body.includes(callbackOf(taskToken).id) || body.includes(taskToken));
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }
}
