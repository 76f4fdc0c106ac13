import type { Duration, Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { hasHighAvailability } from '../job/high-availability.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { gatedFor } from './gate.ts';
import { currentAttempt, hasAttempt, isEnded, updateAttempt } from './machine.ts';
import type { Attempt, HasAttempt, RunRecord } from './record.ts';

/** Whether its current attempt is a JobManager that is given its program, or will be. */
export function isPrepared({ prepared, attempts }: Pick<RunRecord, 'prepared' | 'attempts'>): boolean {
  return prepared !== undefined && (currentAttempt({ attempts })?.number ?? 1) === 1;
}

/** Whether Flink is handed the attempt's job through its REST API; else the JobManager begins the program by itself. */
export function isSubmitted(run: Pick<RunRecord, 'prepared' | 'attempts'> & Pick<HasAttempt, 'job'>): boolean {
  return run.job.mode === 'session' || isPrepared(run);
}

/** Whether its program may not begin yet. */
export function isHeld({ prepared }: Pick<RunRecord, 'prepared'>): boolean {
  return prepared !== undefined && prepared.permittedAt === undefined;
}

/**
 * With the permit, and what its program starts from; undefined where there is nothing to permit any more. From now on any
 * function may hand the program over: its id, and that of its jar, are this JobManager's alone, so that a second time is refused.
 */
export function permitted(run: RunRecord, startFrom: Snapshot | undefined, now: Instant): RunRecord | undefined {
  if (run.prepared === undefined || isEnded(run.state) || run.cancelRequested !== undefined) return undefined;
  if (!isHeld(run)) return run;
  const begins = { ...run, prepared: { ...run.prepared, permittedAt: now }, ...defined({ startFrom }) };
  if (!hasAttempt(begins)) return begins;
  const submission = { by: 'permit', at: now, highAvailability: hasHighAvailability(begins.job.options) };
  return updateAttempt(begins, { submission, ...defined({ restoredFrom: startFrom }) });
}

/** How much of `deadlines.start` an attempt has used: one that is ready and held, or behind a scheduling gate, uses none. */
export function startingFor(run: Pick<RunRecord, 'prepared' | 'attempts'>, attempt: Attempt, now: Instant): Duration {
  const { prepared } = run;
  const starting = now - attempt.launchedAt - gatedFor(attempt, now);
  if (prepared === undefined || !isPrepared(run)) return starting;
  if (prepared.permittedAt !== undefined) return Math.min(starting, now - prepared.permittedAt);
  return prepared.readyAt === undefined ? starting : 0;
}
