import type { Duration, Instant } from '../core/clock.ts';
import { currentAttempt } from './machine.ts';
import { isPrepared } from './prepared.ts';
import type { ActiveRun, EndedRun, RunRecord } from './record.ts';
import { cancelOf, savepointStop } from './stop-request.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** SQS delays a message by at most 15 minutes. */
export const MAX_WAIT: Duration = 15 * MINUTE;

interface Step {
  readonly youngerThan: Duration;
  readonly wait: Duration;
}

/** A JVM needs seconds to answer, an image pull minutes: late looks find little. */
const STARTING: readonly Step[] = [
  { youngerThan: 20 * SECOND, wait: 500 },
  { youngerThan: 2 * MINUTE, wait: 2 * SECOND },
  { youngerThan: 10 * MINUTE, wait: 5 * SECOND },
  { youngerThan: Infinity, wait: 30 * SECOND },
];

/** A short job's end is seen at once; a job that has run for hours can wait a minute for its verdict. */
const RUNNING: readonly Step[] = [
  { youngerThan: 15 * SECOND, wait: 500 },
  { youngerThan: 1 * MINUTE, wait: 2 * SECOND },
  { youngerThan: 10 * MINUTE, wait: 5 * SECOND },
  { youngerThan: 1 * HOUR, wait: 15 * SECOND },
  { youngerThan: 24 * HOUR, wait: 1 * MINUTE },
  { youngerThan: Infinity, wait: 5 * MINUTE },
];

const STOPPING: readonly Step[] = [
  { youngerThan: 10 * SECOND, wait: 500 },
  { youngerThan: Infinity, wait: 2 * SECOND },
];

/** Garbage collection takes one to four seconds; what takes longer is stuck on something. */
const CLEANING: readonly Step[] = [
  { youngerThan: 10 * SECOND, wait: 500 },
  { youngerThan: 1 * MINUTE, wait: 2 * SECOND },
  { youngerThan: 10 * MINUTE, wait: 15 * SECOND },
  { youngerThan: Infinity, wait: 1 * MINUTE },
];

const QUEUED: readonly Step[] = [
  { youngerThan: 1 * MINUTE, wait: 2 * SECOND },
  { youngerThan: 10 * MINUTE, wait: 10 * SECOND },
  { youngerThan: Infinity, wait: 1 * MINUTE },
];

function waitFor(steps: readonly Step[], age: Duration): Duration {
  return steps.find((step) => age < step.youngerThan)?.wait ?? MAX_WAIT;
}

/** Clocks differ between functions: what begins in the future is as young as can be. */
function ageOf(since: Instant | undefined, now: Instant): Duration {
  return since === undefined ? 0 : Math.max(0, now - since);
}

/**
 * Milliseconds until the next look at a run: a total function of its state and of how long it has been in it. Zero for
 * states in which the next step depends on nobody else.
 */
export function nextLook(record: RunRecord, now: Instant): Duration {
  switch (record.state) {
    case 'accepted':
    case 'launching':
    case 'ended':
    case 'closed':
      return 0;
    case 'waiting':
      return waitFor(QUEUED, ageOf(record.waiting?.since, now));
    case 'starting':
      return Math.min(waitFor(STARTING, ageOf(startingSince(record), now)), stopping(record, now));
    case 'running': {
      if (stopping(record, now) < Infinity) return stopping(record, now);
      const wait = waitFor(RUNNING, ageOf(currentAttempt(record).runningAt, now));
      return record.job.kind === 'streaming' ? Math.max(2 * SECOND, wait) : wait;
    }
    case 'cleaning':
      return waitFor(CLEANING, cleaningAge(record, now));
  }
}

/** With its permit a run that was prepared begins anew to start. */
function startingSince(record: ActiveRun): Instant | undefined {
  return (isPrepared(record) ? record.prepared?.permittedAt : undefined) ?? currentAttempt(record).createdAt;
}

/** A job that was told to stop does so at once, or not at all. */
function stopping(record: ActiveRun, now: Instant): Duration {
  const stop = savepointStop(record);
  if (stop !== undefined && now < stop.until) return waitFor(STOPPING, ageOf(stop.at, now));
  const since = cancelOf(record)?.at ?? currentAttempt(record).abortOutcome?.at;
  return since !== undefined && ageOf(since, now) < MINUTE ? waitFor(STOPPING, ageOf(since, now)) : Infinity;
}

/** A kept cluster begins to go when its time is over. */
function cleaningAge({ outcome, keepUntil = 0 }: EndedRun, now: Instant): Duration {
  return ageOf(Math.max(outcome.at, keepUntil), now);
}

/** Back-off after trouble that is not the run's own: 1 s doubling to 1 minute, or as the other side asked. */
export function stepErrorWait(count: number, retryAfterSeconds?: number): Duration {
  const own = Math.min(MINUTE, SECOND * 2 ** Math.min(count - 1, 10));
  return Math.min(MAX_WAIT, Math.max(own, (retryAfterSeconds ?? 0) * SECOND));
}
