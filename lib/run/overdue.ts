import type { Duration } from '../core/clock.ts';
import {
  failure,
  hasStarted,
  jobManagerReady,
  lost,
  outcomeOf,
  situation,
  standing,
  tellsOfItsJob,
  type Case,
  type Verdict,
} from './verdict.ts';

/** How long a REST endpoint may be silent, while its pods are well, before the run's outcome is called unknown. */
export const SILENCE_LIMIT: Duration = 30 * 60_000;
/** What a deadline, or silence without end, makes of a run about which nothing else is known. */
export function overdue(it: Case): Verdict | undefined {
  return it.attempt.runningAt === undefined ? overdueStart(it) : (overdueJob(it) ?? silentTooLong(it));
}

function overdueStart(it: Case): Verdict | undefined {
  const start = it.record.job?.deadlines.start;
  if (start === undefined || it.now - it.attempt.launchedAt < start) return undefined;
  const seconds = Math.round(start / 1000);
  const late = `within the ${seconds} s of deadlines.start: ${situation(it)}`;
  if (it.seen.rest.state === 'silent' && jobManagerReady(it.seen)) return unheard(it, late);
  const cause = it.finding ?? it.logged;
  if (cause !== undefined) {
    return failure(it, cause.reason, `${cause.message} (for the ${seconds} s of deadlines.start)`, cause.evidence);
  }
  const message = `The job did not run ${late}`;
  if (mayHaveHadAJob(it)) return lost(it, 'StartDeadlineExceeded', message, []);
  return failure(it, 'StartDeadlineExceeded', message, []);
}

/** Where no log tells: a short job begins, ends and is forgotten between two looks. */
function mayHaveHadAJob(it: Case): boolean {
  return it.seen.rest.state === 'answered' && it.job === undefined && hasStarted(it) && !tellsOfItsJob(it);
}

/** A JobManager that is well and not heard may have run a job to its end: another attempt could do it twice. */
function unheard(it: Case, late: string): Verdict {
  const message = `The JobManager runs, and its REST endpoint did not answer ${late}`;
  if (it.record.job?.kind === 'streaming') return failure(it, 'RestUnreachable', message, []);
  return { kind: 'ended', outcome: outcomeOf('unknown', 'RestUnreachable', message, it.now, standing(it)) };
}

function overdueJob(it: Case): Verdict | undefined {
  const { record, attempt, now } = it;
  const run = record.job?.deadlines.run;
  if (run === undefined || attempt.runningAt === undefined || now - attempt.runningAt < run) return undefined;
  const message = `The job still ran after the ${Math.round(run / 1000)} s of deadlines.run`;
  return { kind: 'ended', outcome: outcomeOf('failed', 'RunDeadlineExceeded', message, now, standing(it)) };
}

function silentTooLong(it: Case): Verdict | undefined {
  const { record, seen, now } = it;
  if (record.unreachableSince === undefined || seen.rest.state !== 'silent') return undefined;
  if (now - record.unreachableSince < SILENCE_LIMIT) return undefined;
  const minutes = Math.round(SILENCE_LIMIT / 60_000);
  const message = `The JobManager's REST endpoint has been silent for ${minutes} min while its pod is there: ${seen.rest.error}`;
  return { kind: 'ended', outcome: outcomeOf('unknown', 'RestUnreachable', message, now, standing(it)) };
}
