import { exitCall, exitedByProgram, hidesExitCode, tellsOfExit } from '../../diagnosis/application-log.ts';
import { jobsInLog, type JobInLog } from '../../diagnosis/terminal-state-log.ts';
import { hasFixedJobId, hasHighAvailability } from '../../job/high-availability.ts';
import { mainContainer } from '../../kubernetes/cluster/containers.ts';
import type { Outcome } from '../../run/record.ts';
import { endInLog, type ApplicationEnd } from './end.ts';
import { isOfJob, jobsOfLog, mainFailed } from './outcome.ts';
import { firstLine, logFact, jobManagerFact } from '../facts.ts';
import { outcomeFromLastWords, outcomeOfEnd } from '../job-outcome.ts';
import { WITHOUT_HIGH_AVAILABILITY, type Rule } from '../rule.ts';
import { cancelOutcome, withCanceler } from '../shared-rules.ts';
import { firstJobManager, jobManagerIdentity, outcomeOf, type DecisionInput, type Verdict } from '../verdict.ts';
import { cancelOf } from '../../run/stop-request.ts';

/** System.exit() in main() is neither a crash nor retried: it would happen again. */
export const mainExited: Rule = {
  name: 'main-exited',
  description:
    'The JobManager exited, and its log tells of no other cause than its program: main() called System.exit()',
  facts: exitFact,
  judge: exitOfMain,
};

/** It may have had the job. */
export const applicationEndInLog: Rule = {
  name: 'application-end-in-log',
  description:
    'The JobManager answers without a job, and its log has the end of the application, or of the job of high availability',
  facts: logFact,
  judge(input) {
    const { observation, job } = input;
    if (observation.rest.state !== 'answered' || job !== undefined) return undefined;
    return endOfLog(input, observation.jobManagerLog?.text ?? '');
  },
};

/** A node is drained: the pod's log can be read until its containers have ended. What else it tells may come of the SIGTERM. */
export const finishedBeforeDeletion: Rule = {
  name: 'finished-before-deletion',
  description: "The first JobManager's pod is being deleted, and its log tells that the application has finished",
  when: WITHOUT_HIGH_AVAILABILITY,
  facts: leavingFact,
  judge(input) {
    const { rest, leavingLog: log } = input.observation;
    // One that still answers tells the results, too.
    if (log === undefined || rest.state === 'answered') return undefined;
    const end = endInLog(log);
    const jobs = jobsInLog(log);
    if (end?.status !== 'FINISHED' || jobs.length === 0) return undefined;
    return { kind: 'ended', outcome: withCanceler(outcomeOfLog(input, end, jobs), input) };
  },
};

function leavingFact({ observation: { leavingLog: log } }: DecisionInput): string {
  if (log === undefined) return 'no log of a JobManager whose pod is being deleted was read';
  const status = endInLog(log)?.status;
  const told = status === undefined ? 'tells of no end of the application' : `tells that the application ${status}`;
  return `the log of the first JobManager, whose pod is being deleted, ${told}`;
}

/** The end that a JobManager wrote down before it stopped. */
export function lastWords(input: DecisionInput): Verdict | undefined {
  const { jobManagerLog: log } = input.observation;
  return log?.stopped === true ? endOfLog(input, log.text) : undefined;
}

function endOfLog(input: DecisionInput, log: string): Verdict | undefined {
  const end = endInLog(log);
  const outcome = end === undefined ? endOfJobs(input, log) : outcomeOfLog(input, end, jobsInLog(log));
  return outcome === undefined ? undefined : { kind: 'ended', outcome: withCanceler(outcome, input) };
}

/**
 * Where the log does not tell how main() ended. With high availability the job is all that another JobManager would bring
 * back. Else a job that failed, or was canceled, took its application along, unless main() exited by itself; after one that finished
 * main() may have gone on.
 */
function endOfJobs({ record, attempt, now }: DecisionInput, log: string): Outcome | undefined {
  if (hasFixedJobId(record.job)) return outcomeFromLastWords(log, attempt.jobId, now);
  const jobs = jobsInLog(log);
  const last = jobs.at(-1)?.end;
  if (last === undefined || jobs.some(({ end }) => end === undefined)) return undefined;
  const said = outcomeOfEnd(last, now);
  // A main() that exits by itself has survived what its jobs came to.
  const exits = tellsOfExit(log);
  if (last.state !== 'FINISHED' && !exits) return { ...said, ...jobsOfLog(jobs) };
  const unknown = exits ? 'with what code main() exited is not known' : 'whether main() had ended is not known';
  const message = `${said.message}; ${unknown}`;
  return { ...outcomeOf('unknown', 'OutcomeUnknown', message, now, said.evidence), ...jobsOfLog(jobs) };
}

function outcomeOfLog({ now }: DecisionInput, end: ApplicationEnd, jobs: readonly JobInLog[]): Outcome {
  const { status, cause, evidence } = end;
  const base = { at: now, flinkState: status, evidence: [evidence], ...jobsOfLog(jobs) };
  const last = jobs.findLast((job) => job.end?.state === status)?.end;
  const said = 'as the log of its JobManager says';
  if (status === 'FINISHED') {
    const what = jobs.length > 1 ? `The application finished, with ${jobs.length} jobs` : 'The job finished';
    return { state: 'succeeded', reason: 'JobFinished', message: `${what}, ${said}`, ...base };
  }
  if (status === 'CANCELED')
    return { state: 'canceled', reason: 'JobCanceled', message: `It was canceled, ${said}`, ...base };
  const ofJob = cause !== undefined && !isOfJob(cause.stackTrace) ? undefined : last;
  if (ofJob === undefined) return { ...mainFailed(cause), ...base };
  const root = ofJob.rootException ?? cause;
  const told = root === undefined ? {} : { rootException: root.message, stackTrace: root.stackTrace };
  const why = root === undefined ? '' : `: ${firstLine(root.message)}`;
  return { state: 'failed', reason: 'JobFailed', message: `The job failed${why}, ${said}`, ...told, ...base };
}

interface Exit {
  readonly code: number;
  readonly jobs: readonly JobInLog[];
}

function exitFact(input: DecisionInput): string {
  const code = exitCodeOf(input);
  return code === undefined ? jobManagerFact(input) : `the first JobManager exited with ${code}; ${logFact(input)}`;
}

function exitOfMain(input: DecisionInput): Verdict | undefined {
  const exit = exitIn(input);
  if (exit === undefined) return undefined;
  const { code, jobs } = exit;
  const asked = cancelOf(input.record) !== undefined && jobs.some(({ end }) => end?.state === 'CANCELED');
  if (asked) return { kind: 'ended', outcome: cancelOutcome(input, `main() called ${exitCall(code)}`) };
  return { kind: 'ended', outcome: exitOutcome(input, exit) };
}

function exitOutcome(input: DecisionInput, { code, jobs }: Exit): Outcome {
  const evidence = [`JobManager: exit code ${code}, and its log names no other cause`];
  const rest = { at: input.now, evidence, ...jobsOfLog(jobs) };
  if (haveFinished(input, jobs)) {
    const message = `The job finished, and main() called ${exitCall(code)}`;
    if (code === 0) return { state: 'succeeded', reason: 'JobFinished', message, flinkState: 'FINISHED', ...rest };
    if (hidesExitCode(code)) return { state: 'unknown', reason: 'OutcomeUnknown', message, ...rest };
  }
  const why = code === 0 ? ', and no job of it had finished, or one went on' : '';
  return { state: 'failed', reason: 'ApplicationFailed', message: `main() called ${exitCall(code)}${why}`, ...rest };
}

function exitIn(input: DecisionInput): Exit | undefined {
  const { logged, observation } = input;
  const log = observation.jobManagerLog;
  const code = exitCodeOf(input);
  if (log?.stopped !== true || code === undefined || endInLog(log.text) !== undefined) return undefined;
  // What else a log names comes of an exception that somebody had logged before.
  if (logged !== undefined && logged.reason !== 'JobManagerCrashed') return undefined;
  return exitedByProgram(log.text, code) ? { code, jobs: jobsInLog(log.text) } : undefined;
}

function haveFinished({ attempt }: DecisionInput, jobs: readonly JobInLog[]): boolean {
  const some = attempt.jobFinished === true || jobs.some(({ end }) => end?.state === 'FINISHED');
  return some && jobs.every(({ end }) => end !== undefined);
}

/**
 * Of the JobManager that began the program, whose log was read; with high availability of the last one, which went on with
 * it. `undefined` when it runs, or another one came after it.
 */
function exitCodeOf({ record, attempt, observation }: DecisionInput): number | undefined {
  const { kubernetes } = observation;
  const last = jobManagerIdentity(observation);
  const recovers = hasHighAvailability(record.job.options);
  const first = recovers ? last : (attempt.jobManager ?? firstJobManager(kubernetes));
  const main = mainContainer(kubernetes.pods.find(({ uid }) => uid === first?.podUid));
  if (first === undefined || main === undefined || last?.podUid !== first.podUid) return undefined;
  const again = main.restartCount - first.restartCount;
  if (again > 1) return undefined;
  return again === 0 && main.state === 'terminated' ? main.exitCode : main.last?.exitCode;
}
