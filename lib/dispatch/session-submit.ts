import type { Duration, Instant } from '../core/clock.ts';
import { isDispatchError } from '../core/errors.ts';
import { findInLog } from '../cluster/log-findings.ts';
import type { KubernetesFacts } from '../cluster/port.ts';
import { ProgramFailed, type JarRun } from '../flink/job-manager.ts';
import { hasHighAvailability } from '../job/high-availability.ts';
import type { ResolvedJob } from '../job/job.ts';
import { sessionJobOptions } from '../job/session.ts';
import { requireAttempt, updateAttempt } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { Attempt, Outcome, RunRecord } from '../run/record.ts';
import { isReplaced, jobManagerIdentity, outcomeOf } from '../run/verdict.ts';
import { clusterOf, requireJob } from './job-of.ts';
import type { Acted, AttemptAt } from './modes.ts';

/** No function lives as long: whoever began to submit this long ago, and has not said how it went, has died. */
const TAKE_OVER: Duration = 200_000;
/** What was written down is carried out this soon, or written down again. */
const FRESH: Duration = 10_000;

/** By which the attempt's jar is known among those of the session. */
export function jarNameOf(record: RunRecord): string {
  return `${record.runId}-${requireAttempt(record).number}.jar`;
}

/** Whether a main() that was begun may still submit its job. */
export function stillMayCome(submission: Attempt['submission'], now: Instant): boolean {
  return submission !== undefined && submission.answeredAt === undefined && now - submission.at < TAKE_OVER;
}

/**
 * Submits the job that a look did not find. Who does so, and to which JobManager, is on record before main() runs; the
 * job's id is fixed, so that Flink itself refuses a second one whose answer was lost, and the next look finds the first.
 */
export async function submitJob(at: AttemptAt, seen: Observation): Promise<Acted> {
  const { record, deps } = at;
  const { jobId, submission } = requireAttempt(record);
  const wait = { record };
  if (seen.rest.state === 'silent') return wait;
  if (seen.rest.facts.jobs.some(({ id }) => id === jobId)) return { record: answered(record, deps.clock.now()) };
  if (submission?.answeredAt !== undefined) return wait;
  if (mayHaveEnded(record, seen.kubernetes)) return wait;
  const age = submission === undefined ? Infinity : deps.clock.now() - submission.at;
  const mine = submission?.by === deps.sessions.submitter;
  if (mine && age < FRESH) return runJar(at);
  return mine || age >= TAKE_OVER ? takeOver(at, seen) : wait;
}

async function takeOver({ record, target, deps }: AttemptAt, seen: Observation): Promise<Acted> {
  const jobManager = requireAttempt(record).jobManager ?? jobManagerIdentity(seen);
  if (jobManager === undefined) return { record };
  const configuration = await target.session(clusterOf(record)).inspection.configuration();
  const highAvailability = hasHighAvailability(configuration);
  const submission = { by: deps.sessions.submitter, at: deps.clock.now(), highAvailability };
  return { record: updateAttempt(record, { jobManager, submission }), again: true };
}

async function runJar(at: AttemptAt): Promise<Acted> {
  const { record, target, deps } = at;
  const job = requireJob(record);
  const { jars } = target.session(clusterOf(record));
  try {
    const jarId = await bringJar(at);
    // Only now is it certain which JobManager it is that runs the jar: no other one has it.
    const [{ jobs }, kubernetes] = await Promise.all([
      target.jobManager(clusterOf(record)).look(),
      target.clusters.observe(clusterOf(record)),
    ]);
    const isThere = jobs.some(({ id }) => id === requireAttempt(record).jobId);
    if (!isThere && mayHaveEnded(record, kubernetes)) return { record };
    if (!isThere) await jars.run(jarId, requestFor(record, job));
    return { record: answered(record, deps.clock.now()) };
  } catch (error) {
    const outcome = refused(error, deps.clock.now());
    if (outcome === undefined) throw error;
    const done = answered(record, deps.clock.now());
    // What failed after the job was there is told by the job itself: a wait for its result, a savepoint it cannot read.
    return (await isThere(at)) ? { record: done } : { record: done, failed: outcome };
  }
}

/**
 * What the JobManager before this one did with a job that is not here is for `decide` to judge. One that goes on until it
 * is told to end comes back with high availability, and is refused a second time.
 */
function mayHaveEnded(record: RunRecord, kubernetes: KubernetesFacts): boolean {
  const attempt = requireAttempt(record);
  const comesBack = attempt.submission?.highAvailability === true && requireJob(record).kind === 'streaming';
  return !comesBack && isReplaced(attempt, kubernetes);
}

/**
 * With high availability Flink may have forgotten the end of a job, and take it again: a main() that an earlier call has
 * begun, or that is still to begin, loses its jar before another one is run.
 */
async function bringJar({ record, target, deps }: AttemptAt): Promise<string> {
  const { jars } = target.session(clusterOf(record));
  const name = jarNameOf(record);
  const known = (await jars.list()).filter((jar) => jar.name === name);
  const [first] = known;
  const forgets = requireAttempt(record).submission?.highAvailability === true;
  if (first !== undefined && !forgets) return first.id;
  for (const { id } of known) await jars.remove(id);
  return jars.upload(name, await deps.sessions.jarBytes(requireJob(record).jar));
}

async function isThere({ record, target }: AttemptAt): Promise<boolean> {
  const { jobs } = await target.jobManager(clusterOf(record)).look();
  return jobs.some(({ id }) => id === requireAttempt(record).jobId);
}

function answered(record: RunRecord, now: Instant): RunRecord {
  const { submission } = requireAttempt(record);
  if (submission === undefined || submission.answeredAt !== undefined) return record;
  return updateAttempt(record, { submission: { ...submission, answeredAt: now } });
}

/** JarRunRequestBody; options that have a field of it go there. */
function requestFor(record: RunRecord, job: ResolvedJob): JarRun {
  const { options, entryClass, args } = job;
  const option = (key: string): string | undefined =>
    options[`execution.state-recovery.${key}`] ?? options[`execution.savepoint.${key}`];
  const savepointPath = option('path');
  const ignore = option('ignore-unclaimed-state');
  return {
    ...(entryClass === undefined ? {} : { entryClass }),
    programArgs: args,
    ...(options['parallelism.default'] === undefined ? {} : { parallelism: Number(options['parallelism.default']) }),
    jobId: requireAttempt(record).jobId,
    ...(savepointPath === undefined ? {} : { savepointPath }),
    ...(ignore === undefined ? {} : { allowNonRestoredState: ignore.toLowerCase() === 'true' }),
    flinkConfiguration: sessionJobOptions(job),
  };
}

/** The outcome that a refusal is, or `undefined` for trouble that the same call may not meet again. */
function refused(error: unknown, now: Instant): Outcome | undefined {
  if (error instanceof ProgramFailed) return programOutcome(error, now);
  if (!isDispatchError(error) || error.class !== 'user') return undefined;
  return outcomeOf('failed', error.reason, error.message, now, []);
}

function programOutcome({ root, message }: ProgramFailed, now: Instant): Outcome {
  const cause = { rootException: root.message, stackTrace: root.stackTrace };
  if (root.stackTrace.includes('DuplicateJobSubmissionException')) {
    const unknown = 'The session has had the job and no longer knows how it ended';
    return { ...outcomeOf('unknown', 'OutcomeUnknown', unknown, now, []), ...cause };
  }
  const found = findInLog(root.stackTrace);
  const named = found === undefined || found.reason === 'JobManagerCrashed' ? undefined : found;
  const said = outcomeOf('failed', named?.reason ?? 'ApplicationFailed', named?.message ?? message, now, []);
  return { ...said, ...cause };
}
