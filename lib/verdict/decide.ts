import type { Instant } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import { findFailure } from '../diagnosis/findings.ts';
import { findInLog, type LogFinding } from '../diagnosis/log-findings.ts';
import { currentAttempt } from '../run/machine.ts';
import { isSubmitted } from '../run/prepared.ts';
import type { ActiveRun } from '../run/record.ts';
import { ABORT_RULES, type AbortInput } from './abort.ts';
import { APPLICATION_RULES } from './application-rules.ts';
import { explainRows, judge, type ExplainedRow } from './engine.ts';
import { ofFirstJobManager } from './jobmanager-replacement.ts';
import { currentJob, jobsOf } from './jobs.ts';
import type { Observation } from './observation.ts';
import type { Rule } from './rule.ts';
import { isStopping, STOP_RULES, type StopInput } from './stop/stop.ts';
import { SESSION_RULES } from './session-rules.ts';
import { hasFinishedJob, type DecisionInput, type RuledVerdict } from './verdict.ts';

export { outcomeOf, type Running, type RuledVerdict } from './verdict.ts';

/** All that a decision rests on; what the rules read out of it follows from it. */
export interface DecisionFacts {
  readonly observation: Observation;
  /** As it was when the run was looked at. */
  readonly record: ActiveRun;
  readonly now: Instant;
}

/** A decision, row by row. */
export interface Explanation {
  readonly table: 'APPLICATION_RULES' | 'SESSION_RULES';
  readonly rows: readonly ExplainedRow[];
  /** Only of an attempt that had been given up before: these rows come after those of the mode. */
  readonly abortRows: readonly ExplainedRow[];
  /** Only of a stream that was asked to stop: these come last. */
  readonly stopRows: readonly ExplainedRow[];
  readonly verdict: RuledVerdict;
}

/**
 * Judges one observation of a run that is starting or running, by the first rule of its mode that holds, and then, for an
 * attempt that was given up, by whether its job has stopped, and for a stream that was asked to stop, by what it left. An endpoint that does not answer is never an outcome by
 * itself.
 */
export function decide(observation: Observation, record: ActiveRun, now: Instant): RuledVerdict {
  return judged({ observation, record, now }).verdict;
}

/** Whether a job of the attempt is seen FINISHED: nothing may run it again. */
export function seesFinishedJob(facts: DecisionFacts): boolean {
  return hasFinishedJob(caseOf(facts).input);
}

/** Takes the same decision with every row asked by itself. */
export function explain(facts: DecisionFacts): Explanation {
  const { table, rules, input, abort, stop, verdict } = judged(facts);
  return {
    table,
    rows: explainRows(rules, input),
    abortRows: abort === undefined ? [] : explainRows(ABORT_RULES, abort),
    stopRows: stop === undefined ? [] : explainRows(STOP_RULES, stop),
    verdict,
  };
}

interface Judged extends Case {
  readonly abort: AbortInput | undefined;
  readonly stop: StopInput | undefined;
  readonly verdict: RuledVerdict;
}

/** By one table after another, each of which may take the place of what the one before said. */
function judged(facts: DecisionFacts): Judged {
  const own = caseOf(facts);
  const ofMode = required(judge(own.rules, own.input), facts.record);
  const abort = abortInput(facts, ofMode);
  const given = abort === undefined ? ofMode : (judge(ABORT_RULES, abort) ?? ofMode);
  const stop = isStopping(facts.record) ? { ...facts, verdict: given } : undefined;
  return { ...own, abort, stop, verdict: stop === undefined ? given : (judge(STOP_RULES, stop) ?? given) };
}

interface Case {
  readonly table: Explanation['table'];
  readonly rules: readonly Rule[];
  readonly input: DecisionInput;
}

function caseOf(facts: DecisionFacts): Case {
  return isSubmitted(facts.record)
    ? { table: 'SESSION_RULES', rules: SESSION_RULES, input: sessionInput(facts) }
    : { table: 'APPLICATION_RULES', rules: APPLICATION_RULES, input: applicationInput(facts) };
}

function applicationInput({ observation: seen, record, now }: DecisionFacts): DecisionInput {
  const attempt = currentAttempt(record);
  const observation = ofFirstJobManager(seen, record);
  const finding = findFailure(observation.kubernetes, now, attempt.createdAt);
  const logged = namedInLog(observation);
  return { record, attempt, observation, now, ...jobsIn(observation, record), finding, logged };
}

/** TaskManagers of a session that come and go while the job runs are the session's own. */
function sessionInput({ observation, record, now }: DecisionFacts): DecisionInput {
  const attempt = currentAttempt(record);
  const found = findFailure(observation.kubernetes, now, attempt.createdAt);
  const finding = found?.component === 'taskmanager' && attempt.runningAt !== undefined ? undefined : found;
  return { record, attempt, observation, now, ...jobsIn(observation, record), finding, logged: undefined };
}

function jobsIn(observation: Observation, record: ActiveRun): Pick<DecisionInput, 'jobs' | 'job'> {
  const jobs = jobsOf(observation, record);
  return { jobs, job: currentJob(jobs) };
}

/** An exception in the log of a JobManager that goes on is not why it stopped. */
function namedInLog({ jobManagerLog: log, hasRefusedRight }: Observation): LogFinding | undefined {
  const found = log === undefined ? undefined : findInLog(log.text);
  const finding = hasRefusedRight === true ? withoutRefusal(found) : found;
  return log?.stopped === false && finding?.reason === 'JobManagerCrashed' ? undefined : finding;
}

/** An API server that has just begun refuses what it allows a moment later: it is no fault of the request. */
function withoutRefusal(finding: LogFinding | undefined): LogFinding | undefined {
  if (finding?.reason !== 'ServiceAccountForbidden') return finding;
  return { ...finding, reason: 'JobManagerCrashed', message: `${finding.message}. It has the right by now` };
}

function abortInput({ observation, record, now }: DecisionFacts, verdict: RuledVerdict): AbortInput | undefined {
  const { abortOutcome } = currentAttempt(record);
  return abortOutcome === undefined ? undefined : { observation, record, now, verdict, abortOutcome };
}

/** The last row of each table always has a verdict. */
function required(verdict: RuledVerdict | undefined, { runId }: ActiveRun): RuledVerdict {
  if (verdict === undefined) throw new DispatchError('Internal', `run ${runId}: no rule has a verdict`);
  return verdict;
}
