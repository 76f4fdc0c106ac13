import { callbackOf, openCallbacks } from '../../../lib/run/callbacks.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { TaskAnswer } from '../servers/step-functions.ts';
import type { World } from '../world.ts';

/** Who waits for the end of a run is told of it, as it was, and not before. */
export class CallbackInvariants {
  private readonly world: World;
  private readonly sent = new Set<string>();

  constructor(world: World) {
    this.world = world;
    world.tasks.onAnswer = (answer) => this.onAnswer(answer);
  }

  /** A task begins, and sends its message. */
  onSent(taskToken: string): void {
    if (this.sent.has(taskToken)) return;
    this.sent.add(taskToken);
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
    for (const taskToken of this.sent) {
      const isTold = !this.world.tasks.isWaiting(taskToken) || this.isLetter(taskToken);
      this.check('a task is told of the end of its run', isTold, () => taskToken);
    }
  }

  private onAnswer({ taskToken, told }: TaskAnswer): void {
    const run = this.runOf(taskToken);
    const { state, reason } = run?.outcome ?? {};
    const as = state === 'succeeded' ? 'succeeded' : reason;
    this.check('a task is told what is on record', told === as, () => `${taskToken}: ${told}, ${run?.name}: ${as}`);
  }

  private runOf(taskToken: string): RunRecord | undefined {
    const { id } = callbackOf(taskToken);
    const { records } = this.world.invariants;
    return [...records.values()].find(({ callbacks = [] }) => callbacks.some((one) => one.id === id));
  }

  private isLetter(taskToken: string): boolean {
    return this.world.letters.some(({ body }) => body.includes(callbackOf(taskToken).id) || body.includes(taskToken));
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }
}
