import { advance } from '../../../lib/dispatch/advance.ts';
import { without } from '../../../lib/run/machine.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

export const MINUTE = 60_000;

/** One message of a run, and what comes of it. */
export class Advancing extends Stepping {
  step(number = 3): Pick<RunRecord, 'step'> {
    return { step: { number, dueAt: this.now } };
  }

  ended(change: Partial<RunRecord> = {}): RunRecord {
    return {
      ...{ ...without(runIn('ended', MINUTE), 'stepError'), attempts: [], ...this.step() },
      ...change,
    } as RunRecord;
  }

  async take(run: RunRecord, { number = run.step.number, time = MINUTE } = {}): Promise<RunRecord> {
    await this.ledger.create(run);
    await advance({ version: 1, runId: run.runId, step: number }, this.deps, this.now + time);
    return this.stored(run);
  }

  /** The run messages that were sent: the step of each, and its delay. */
  get sentSteps(): readonly (readonly unknown[])[] {
    return this.sent.map(({ message, delay }) => ('step' in message ? [message.step, delay] : []));
  }
}
