import type { Duration, Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { applicationEndInLog, type ApplicationStatus } from '../../diagnosis/application-log.ts';
import type { ApplicationSummary, JobManagerFacts, JobSummary, RootException } from '../../flink/job-manager.ts';
import { MAIN_DEADLINE, type ResolvedJob } from '../../job/job.ts';
import { without } from '../../run/machine.ts';
import type { Attempt } from '../../run/record.ts';
import { seconds } from '../facts.ts';
import { haveEnded } from '../jobs.ts';
import { isReplaced, type DecisionInput } from '../verdict.ts';

/** How an application ended: its main() and all its jobs. */
export interface ApplicationEnd {
  readonly status: ApplicationStatus;
  /** What main() threw, or let through. */
  readonly cause?: RootException;
  readonly at?: Instant;
  /** How many jobs it began, where Flink counts them. */
  readonly began?: number;
  readonly evidence: string;
}

/**
 * Where no log tells how main() ended: a JobManager whose main() threw, and no job of it failed, has ended itself by then.
 * Closing its services takes it about a second.
 */
export const MAIN_SETTLES: Duration = 10_000;

/** Flink 2.3 was seen to count a job seconds before it lists it. */
const LISTS_JOBS: Duration = 10_000;

const ENDS: readonly string[] = ['FINISHED', 'FAILED', 'CANCELED'] satisfies readonly ApplicationStatus[];

/** The application that Flink lists as ended, from 2.3. */
export function endedApplication({
  applications = [],
}: JobManagerFacts): (ApplicationSummary & { readonly status: ApplicationStatus }) | undefined {
  const ended = applications.find(({ status }) => ENDS.includes(status));
  return ended as (ApplicationSummary & { readonly status: ApplicationStatus }) | undefined;
}

/** Flink lists applications from 2.3. */
export function listsApplications({ applications = [] }: JobManagerFacts): boolean {
  return applications.length > 0;
}

/** How long main() may go on when its jobs have ended. */
export function mainLimit({ deadlines }: ResolvedJob): Duration {
  return deadlines.main ?? MAIN_DEADLINE;
}

/** Whether main() has gone on without a job for longer than `deadlines.main`. */
export function isMainOverdue(attempt: Attempt, jobs: readonly JobSummary[], job: ResolvedJob, now: Instant): boolean {
  const since = withoutJobSince(attempt, jobs);
  return since !== undefined && now - since >= mainLimit(job);
}

/** A further job may have come and gone between two looks. */
export function withoutJobSince({ jobsEndedAt }: Attempt, jobs: readonly JobSummary[]): Instant | undefined {
  return jobsEndedAt === undefined ? undefined : Math.max(jobsEndedAt, ...jobs.map(({ endTime }) => endTime));
}

/**
 * The end of the application that its JobManager proves: all its jobs have ended, and so has main(). From 2.3 Flink says
 * so; before, main() is on no stack any more and the log tells how it ended, or the JobManager goes on, which it would not
 * do if main() had failed by itself.
 */
export function applicationEnd(input: DecisionInput): ApplicationEnd | undefined {
  const { jobs, observation } = input;
  const { rest } = observation;
  if (rest.state === 'unreachable' || (jobs.length > 0 && !haveEnded(jobs))) return undefined;
  if (listsApplications(rest.facts)) {
    return awaitsJobs(input) ? undefined : secondTime(input, listed(rest.facts, rest.applicationException));
  }
  if (jobs.length === 0 || rest.main?.state !== 'returned') return undefined;
  return ofLog(input) ?? settled(input);
}

function listed(facts: JobManagerFacts, exception: RootException | undefined): ApplicationEnd | undefined {
  const ended = endedApplication(facts);
  if (ended === undefined) return undefined;
  const { id, status, endTime, jobs: began } = ended;
  const at = endTime !== undefined && endTime > 0 ? endTime : undefined;
  return {
    status,
    evidence: `GET /applications/overview: ${id} ${status}`,
    ...defined({ cause: exception, at, began }),
  };
}

/** Whether the application has just ended, and a job that Flink counts is not listed yet. */
export function awaitsJobs(input: DecisionInput): boolean {
  const { rest } = input.observation;
  const end = rest.state === 'unreachable' ? undefined : listed(rest.facts, rest.applicationException);
  return end !== undefined && lacksJobs(input, end);
}

/** Whether a job that Flink counts is not listed yet: it has the accumulators, and the reason. */
function lacksJobs({ jobs, now }: DecisionInput, { began = 0, at }: ApplicationEnd): boolean {
  return began > jobs.length && Math.abs(now - (at ?? 0)) < LISTS_JOBS;
}

/**
 * A JobManager that high availability brings back after the end of the job begins main() again, and Flink refuses the job:
 * that failure is not of the program. What main() itself throws is.
 */
function secondTime(
  { jobs, attempt, observation }: DecisionInput,
  end: ApplicationEnd | undefined,
): ApplicationEnd | undefined {
  if (end?.status !== 'FAILED' || !isReplaced(attempt, observation.kubernetes)) return end;
  if (jobs.length === 0 || jobs.some(({ state }) => state !== 'FINISHED')) return end;
  if (end.cause !== undefined && !end.cause.stackTrace.includes('DuplicateJobSubmissionException')) return end;
  return {
    ...without(end, 'cause'),
    status: 'FINISHED',
    evidence: `${end.evidence}, of a JobManager after the job's end`,
  };
}

/** Not of a JobManager before this one. */
function ofLog({ observation: { jobManagerLog: log } }: DecisionInput): ApplicationEnd | undefined {
  return log?.stopped === false ? endInLog(log.text) : undefined;
}

/** The end that the log of a JobManager tells of. */
export function endInLog(log: string): ApplicationEnd | undefined {
  const end = applicationEndInLog(log);
  if (end === undefined) return undefined;
  const { status, rootException: cause, line } = end;
  return { status, evidence: `JobManager log: ${line}`, ...defined({ cause }) };
}

/** As Flink itself sums up: an application ends like its worst job. */
function settled({ jobs, attempt, now, observation }: DecisionInput): ApplicationEnd | undefined {
  const { mainReturnedAt } = attempt;
  if (mainReturnedAt === undefined || now - mainReturnedAt < MAIN_SETTLES) return undefined;
  if (isReplaced(attempt, observation.kubernetes)) return undefined;
  const states = jobs.map(({ state }) => state);
  const status = states.includes('FAILED') ? 'FAILED' : states.includes('CANCELED') ? 'CANCELED' : 'FINISHED';
  const stands = `main() returned, and the JobManager has gone on for ${seconds(now - mainReturnedAt)}`;
  return { status, evidence: `GET /jobmanager/thread-dump: ${stands}` };
}

/** What is known of the application's end, in one sentence. */
export function applicationFact(input: DecisionInput): string {
  const { rest } = input.observation;
  if (rest.state === 'unreachable') return `REST does not answer: ${rest.error}`;
  const jobs = input.jobs.map(({ id, state, reportedState }) => `job ${id} is ${reportedState ?? state}`);
  const applications = (rest.facts.applications ?? []).map(({ id, status }) => `application ${id} is ${status}`);
  const main = rest.main === undefined ? [] : [rest.main.state === 'running' ? 'main() runs' : 'main() has returned'];
  return [...(jobs.length === 0 ? ['the JobManager answers and has no job'] : jobs), ...applications, ...main].join(
    ', ',
  );
}
