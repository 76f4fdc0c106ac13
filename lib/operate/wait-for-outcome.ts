import type { Clock, Duration, Instant } from '../core/clock.ts';
import type { RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import type { Ledger } from '../run/store/ledger.ts';
import { knownRun } from './find-run.ts';
import type { Scope } from './scope.ts';

export interface Waiting {
  /** Until then at most. */
  readonly until: Instant;
  /** Between two looks at its record. */
  readonly every: Duration;
  /** Ends the wait: true when nobody waits any more. */
  readonly isOver?: () => boolean;
  /** Each time the run is another than before. */
  readonly onChange?: (run: RunRecord) => void;
}

/**
 * The run once it has its outcome, or as it stands when the time is over. What it leaves may still be removed then.
 * @throws DispatchError `RunNotFound` at once
 */
export async function waitForOutcome(
  runId: RunId,
  scope: Scope,
  { until, every, isOver = () => false, onChange = () => undefined }: Waiting,
  { ledger, clock }: { readonly ledger: Pick<Ledger, 'read'>; readonly clock: Clock },
): Promise<RunRecord> {
  let seen: RunRecord | undefined;
  for (;;) {
    const run = await knownRun(runId, scope, ledger);
    if (seen === undefined || situation(run) !== situation(seen)) onChange(run);
    seen = run;
    const left = until - clock.now();
    if (run.outcome !== undefined || left <= 0 || isOver()) return run;
    await clock.sleep(Math.min(every, left));
  }
}

function situation({ state, attempts, waiting }: RunRecord): string {
  return JSON.stringify([state, attempts.length, waiting?.reason]);
}
