import type { Clock, Duration, Instant } from '../../core/clock.ts';
import { DispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { RunRecord } from '../../run/record.ts';

export interface BackfillDeps {
  /** Of the run that a tick is, whatever asks for it. */
  readonly idOf: (tick: Instant) => RunId;
  readonly read: (runId: RunId) => Promise<RunRecord | undefined>;
  /** Asks for it, by a message. */
  readonly send: (tick: Instant) => Promise<void>;
  readonly clock: Clock;
  /** Ends it: what was asked for goes on. */
  readonly isOver?: () => boolean;
  readonly onTick?: (tick: Instant, runId: RunId, what: 'asked' | 'there') => void;
}

export interface Backfilled {
  readonly asked: number;
  /** Ticks that had their run before, by the schedule or by a backfill that was stopped. */
  readonly there: number;
  /** All that had no outcome when it was left. */
  readonly live: readonly RunId[];
}

/** Between two looks at runs that go on. */
const EVERY: Duration = 2_000;
/** Functions accept a request within seconds, and after a cold start. */
const PATIENCE: Duration = 120_000;

/**
 * Lets each tick have its run, in order, at most `atMost` of them at a time. The id of a tick's run follows from the tick, so
 * it may be stopped at any point and begun again, or done twice at a time: each tick is one run.
 * @throws DispatchError `RunNotFound` when a request becomes no run
 */
export async function backfill(ticks: readonly Instant[], atMost: number, deps: BackfillDeps): Promise<Backfilled> {
  const { idOf, read, send, clock, isOver = () => false, onTick = () => undefined } = deps;
  const live = new Map<RunId, Instant>();
  let [asked, there] = [0, 0];
  for (const tick of ticks) {
    const runId = idOf(tick);
    const known = await read(runId);
    if (known !== undefined) {
      there += 1;
      if (known.outcome === undefined) live.set(runId, clock.now());
      onTick(tick, runId, 'there');
      continue;
    }
    await shrinkTo(atMost - 1, live, deps);
    if (isOver()) break;
    await send(tick);
    asked += 1;
    live.set(runId, clock.now());
    onTick(tick, runId, 'asked');
  }
  return { asked, there, live: [...live.keys()] };
}

/** Waits until so many are left of those that have no outcome. */
async function shrinkTo(
  most: number,
  live: Map<RunId, Instant>,
  { read, clock, isOver = () => false }: Pick<BackfillDeps, 'read' | 'clock' | 'isOver'>,
): Promise<void> {
  while (live.size > most && !isOver()) {
    for (const [runId, since] of live) {
      const run = await read(runId);
      if (run?.outcome !== undefined) live.delete(runId);
      if (run !== undefined || clock.now() - since < PATIENCE) continue;
      const message = `run ${runId} was asked for, and is not there after ${PATIENCE / 1000} s: dead-letters list says why`;
      throw new DispatchError('RunNotFound', message);
    }
    if (live.size > most) await clock.sleep(EVERY);
  }
}
