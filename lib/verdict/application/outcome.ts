import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { stateSentence, stateTroubleIn } from '../../diagnosis/state-trouble.ts';
import type { JobInLog } from '../../diagnosis/terminal-state-log.ts';
import type { JobSummary, RootException } from '../../flink/job-manager.ts';
import { without } from '../../run/machine.ts';
import type { JobReport, Outcome } from '../../run/record.ts';
import type { ApplicationEnd } from './end.ts';
import { firstLine } from '../facts.ts';
import { resultOf, tellingJob } from '../jobs.ts';
import { isReplaced, type DecisionInput } from '../verdict.ts';
import { cancelOf } from '../../run/stop-request.ts';

/** Jobs of an outcome, and characters of all their accumulators. */
const MAX_JOBS = 100;
const MAX_ACCUMULATORS = 256 * 1024;

const OF_A_JOB = /UnsuccessfulExecutionException|JobExecutionException|JobCancellationException/;

const NO_EXECUTE = 'contains no execute() calls';
const RAN_NO_JOB = 'main() returned without running a job: it contains no execute() call';

/** What the application did, in the words of its end and of its jobs. `ofJob`: that of its job, where this tells. */
export function applicationOutcome(
  input: DecisionInput,
  end: ApplicationEnd,
  ofJob: (job: JobSummary) => Outcome | undefined,
): Outcome {
  const { jobs } = input;
  const telling = tellingJob(jobs);
  const base = {
    at: endOf(input, end),
    flinkState: end.status,
    evidence: [end.evidence],
    ...jobsAndAccumulators(input),
  };
  if (wasStopped(input)) return { ...canceled(), ...base, flinkState: 'CANCELED' };
  const told = telling === undefined || !tellsHow(telling, end) ? undefined : ofJob(telling);
  if (told !== undefined) {
    const message = jobs.length === 1 ? told.message : ofSeveral(told, jobs);
    return {
      // Of several jobs each has its own.
      ...without(told, 'accumulators', 'jobDuration'),
      ...base,
      flinkState: told.flinkState ?? end.status,
      message,
      evidence: [...base.evidence, ...told.evidence],
    };
  }
  return { ...withoutJob(end, input), ...base };
}

/** Whether the end of the application is that of this job. */
function tellsHow({ state }: JobSummary, { status, cause }: ApplicationEnd): boolean {
  if (status === 'FINISHED') return state === 'FINISHED';
  if (status === 'CANCELED') return state === 'CANCELED';
  return state !== 'FINISHED' && (cause === undefined || isOfJob(cause.stackTrace));
}

/** Whether an exception is one that main() let through because a job of it had not finished. */
export function isOfJob(stackTrace: string): boolean {
  return OF_A_JOB.test(stackTrace);
}

/** A person, or this product, had its jobs canceled: what main() made of it says nothing more. */
function wasStopped({ record, attempt, jobs }: DecisionInput): boolean {
  const asked = cancelOf(record) !== undefined || attempt.abortOutcome !== undefined;
  return asked && jobs.some(({ state }) => state === 'CANCELED');
}

type Said = Pick<Outcome, 'state' | 'reason' | 'message' | 'rootException' | 'stackTrace'>;

function canceled(): Said {
  return { state: 'canceled', reason: 'JobCanceled', message: 'The job was canceled' };
}

function withoutJob({ status, cause, began = 0 }: ApplicationEnd, { jobs, attempt, observation }: DecisionInput): Said {
  if (status === 'CANCELED') return { ...canceled(), message: 'The application was canceled' };
  if (status === 'FAILED') {
    const byJob = cause === undefined ? began > 0 : isOfJob(cause.stackTrace);
    return jobs.length === 0 && byJob ? jobFailed(cause) : mainFailed(cause);
  }
  if (jobs.length === 0) {
    // A JobManager that high availability brings back after the end of the application lists no job.
    const hadJobs = began > 0 || attempt.runningAt !== undefined || isReplaced(attempt, observation.kubernetes);
    if (hadJobs) return { state: 'succeeded', reason: 'JobFinished', message: 'The application finished' };
    return { state: 'failed', reason: 'ApplicationFailed', message: RAN_NO_JOB };
  }
  const others = count(jobs, (state) => state !== 'FINISHED');
  const message = `The application finished: main() went on after ${others} of its ${jobs.length} jobs had not`;
  return { state: 'succeeded', reason: 'JobFinished', message };
}

/** A JobManager forgets jobs before their application. */
function jobFailed(cause: RootException | undefined): Said {
  const told = defined({ rootException: cause?.message, stackTrace: cause?.stackTrace });
  const why = cause === undefined ? '' : `: ${firstLine(cause.message)}`;
  return {
    state: 'failed',
    reason: 'JobFailed',
    message: `A job that Flink lists no more failed${why}`,
    ...told,
  };
}

/** What main() threw; `undefined`: nobody told. */
export function mainFailed(cause: RootException | undefined): Said {
  const failed = { state: 'failed', reason: 'ApplicationFailed' } as const;
  if (cause === undefined) return { ...failed, message: 'main() failed' };
  if (cause.message.includes(NO_EXECUTE)) return { ...failed, message: RAN_NO_JOB };
  const told = { rootException: cause.message, stackTrace: cause.stackTrace };
  const state = stateTroubleIn(cause.stackTrace);
  // Flink refuses the job before it begins, and main() ends with that.
  if (state !== undefined) return { ...failed, reason: state.reason, message: stateSentence(state), ...told };
  return { ...failed, message: `main() failed: ${firstLine(cause.message)}`, ...told };
}

function ofSeveral({ state, message }: Outcome, jobs: readonly JobSummary[]): string {
  if (state === 'succeeded') return `The application finished, with ${jobs.length} jobs`;
  return `${message} (${count(jobs, (it) => it === 'FINISHED')} of ${jobs.length} jobs finished)`;
}

function count(jobs: readonly JobSummary[], holds: (state: string) => boolean): number {
  return jobs.filter(({ state }) => holds(state)).length;
}

/** Where main() was never seen to go on after its jobs, their end is that of the application. */
function endOf({ jobs, attempt, now }: DecisionInput, { at }: ApplicationEnd): Instant {
  const last = Math.max(...jobs.map(({ endTime }) => endTime));
  return at ?? (attempt.jobsEndedAt === undefined && last > 0 ? last : (attempt.mainReturnedAt ?? now));
}

/** The jobs that REST tells of, and the accumulators of the only one. */
export function jobsAndAccumulators({
  jobs,
  observation,
}: DecisionInput): Pick<Outcome, 'jobs' | 'accumulators' | 'jobDuration'> {
  const [only] = jobs;
  if (only === undefined) return {};
  if (jobs.length > 1) return { jobs: reportsOf(jobs, (id) => resultOf(observation.rest, jobs, id)?.accumulators) };
  const accumulators = resultOf(observation.rest, jobs, only.id)?.accumulators;
  const duration = only.endTime > 0 ? only.duration : undefined;
  return { jobs: reportsOf(jobs, () => undefined), ...defined({ accumulators, jobDuration: duration }) };
}

function reportsOf(
  jobs: readonly JobSummary[],
  accumulatorsOf: (id: string) => JobReport['accumulators'],
): readonly JobReport[] {
  let room = MAX_ACCUMULATORS;
  return jobs.slice(0, MAX_JOBS).map(({ id, name, state, reportedState, startTime, duration }) => {
    const accumulators = accumulatorsOf(id);
    room -= accumulators === undefined ? 0 : JSON.stringify(accumulators).length;
    const kept = room < 0 ? undefined : accumulators;
    return {
      id,
      name,
      state: reportedState ?? state,
      startedAt: startTime,
      duration,
      ...defined({ accumulators: kept }),
    };
  });
}

/** The jobs that a log tells of. */
export function jobsOfLog(jobs: readonly JobInLog[]): Pick<Outcome, 'jobs'> {
  const reports = jobs
    .slice(0, MAX_JOBS)
    .map(({ id, name, end }) => ({ id, ...defined({ name }), state: end?.state ?? 'RUNNING' }));
  return reports.length === 0 ? {} : { jobs: reports };
}
