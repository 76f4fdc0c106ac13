import type { Duration, Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { isDispatchError } from '../../core/errors.ts';
import { findInLog } from '../../diagnosis/log-findings.ts';
import type { KubernetesFacts } from '../../kubernetes/cluster/port.ts';
import { ProgramFailed, type JarRun } from '../../flink/job-manager.ts';
import { hasHighAvailability } from '../../job/high-availability.ts';
import { sessionJobOptions } from '../../job/session.ts';
import { ignoresUnclaimedState, recoveryOption } from '../../job/state-options.ts';
import { updateAttempt } from '../../run/machine.ts';
import { isEndless } from '../../verdict/kind.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { ActiveRun, Attempt, Outcome } from '../../run/record.ts';
import { isReplaced, jobManagerIdentity, outcomeOf } from '../../verdict/verdict.ts';
import type { AttemptContext } from '../attempt-context.ts';
import type { Acted } from './mode.ts';

type Submitting = AttemptContext<ActiveRun>;

/** No function lives as long: whoever began to submit this long ago, and has not said how it went, has died. */
const TAKE_OVER: Duration = 200_000;
/** What was written down is carried out this soon, or written down again. */
const FRESH: Duration = 10_000;

/** By which the attempt's jar is known among those of the session. */
export function jarNameOf({ run, attempt }: AttemptContext): string {
  return `${run.runId}-${attempt.number}.jar`;
}

/** Whether a main() that was begun may still submit its job. */
export function stillMayCome(submission: Attempt['submission'], now: Instant): boolean {
  return submission !== undefined && submission.answeredAt === undefined && now - submission.at < TAKE_OVER;
}

/**
 * Submits the job that a look did not find. Who does so, and to which JobManager, is on record before main() runs; the
 * job's id is fixed, so that Flink itself refuses a second one whose answer was lost, and the next look finds the first.
 */
export async function submitJob(at: Submitting, observation: Observation): Promise<Acted> {
  const { run, attempt, deps } = at;
  const { jobId, submission } = attempt;
  const wait = { record: run };
  if (observation.rest.state === 'unreachable') return wait;
  if (observation.rest.facts.jobs.some(({ id }) => id === jobId)) return { record: answered(at) };
  if (submission?.answeredAt !== undefined) return wait;
  if (mayHaveEnded(at, observation.kubernetes)) return wait;
  const age = submission === undefined ? Infinity : deps.clock.now() - submission.at;
  const mine = submission?.by === deps.sessions.submitter;
  if (mine && age < FRESH) return runJar(at);
  return mine || age >= TAKE_OVER ? takeOver(at, observation) : wait;
}

async function takeOver({ run, attempt, ref, target, deps }: Submitting, observation: Observation): Promise<Acted> {
  const jobManager = attempt.jobManager ?? jobManagerIdentity(observation);
  if (jobManager === undefined) return { record: run };
  const configuration = await target.session(ref).inspection.configuration();
  const highAvailability = hasHighAvailability(configuration);
  const submission = { by: deps.sessions.submitter, at: deps.clock.now(), highAvailability };
  return { record: updateAttempt(run, { jobManager, submission }), again: true };
}

async function runJar(at: Submitting): Promise<Acted> {
  const { run, attempt, ref, target } = at;
  const { jars } = target.session(ref);
  return telling(at, async () => {
    const jarId = await bringJar(at);
    // Only now is it certain which JobManager it is that runs the jar: no other one has it.
    const [{ jobs }, kubernetes] = await Promise.all([target.jobManager(ref).overview(), target.cluster.observe(ref)]);
    const isThere = jobs.some(({ id }) => id === attempt.jobId);
    if (!isThere && mayHaveEnded(at, kubernetes)) return run;
    if (!isThere) await jars.run(jarId, requestFor(at));
    return answered(at);
  });
}

/** What becomes of the attempt when main() fails, and whether its job is there all the same. */
export async function telling(at: Submitting, submit: () => Promise<ActiveRun>): Promise<Acted> {
  try {
    return { record: await submit() };
  } catch (error) {
    const outcome = refused(error, at.deps.clock.now());
    if (outcome === undefined) throw error;
    const done = answered(at);
    // What failed after the job was there is told by the job itself: a wait for its result, a savepoint it cannot read.
    return (await isThere(at)) ? { record: done } : { record: done, failed: outcome };
  }
}

/**
 * What the JobManager before this one did with a job that is not here is for `decide` to judge. One that goes on until it
 * is told to end comes back with high availability, and is refused a second time.
 */
function mayHaveEnded({ run, attempt }: AttemptContext, kubernetes: KubernetesFacts): boolean {
  const comesBack = attempt.submission?.highAvailability === true && isEndless(run);
  return !comesBack && isReplaced(attempt, kubernetes);
}

/**
 * With high availability Flink may have forgotten the end of a job, and take it again: a main() that an earlier call has
 * begun, or that is still to begin, loses its jar before another one is run.
 */
export async function bringJar(at: Submitting): Promise<string> {
  const { job, attempt, ref, target, deps } = at;
  const { jars } = target.session(ref);
  const name = jarNameOf(at);
  const known = (await jars.list()).filter((jar) => jar.name === name);
  const [first] = known;
  const forgets = attempt.submission?.highAvailability === true;
  if (first !== undefined && !forgets) return first.id;
  for (const { id } of known) await jars.remove(id);
  return jars.upload(name, await deps.sessions.jarBytes(job.jar));
}

async function isThere({ attempt, ref, target }: Submitting): Promise<boolean> {
  const { jobs } = await target.jobManager(ref).overview();
  return jobs.some(({ id }) => id === attempt.jobId);
}

export function answered({ run, attempt: { submission }, deps }: Submitting): ActiveRun {
  if (submission === undefined || submission.answeredAt !== undefined) return run;
  return updateAttempt(run, { submission: { ...submission, answeredAt: deps.clock.now() } });
}

/** JarRunRequestBody; options that have a field of it go there. */
export function requestFor({ job, attempt }: Pick<Submitting, 'job' | 'attempt'>): JarRun {
  const { options, entryClass, args } = job;
  return {
    ...defined({ entryClass }),
    programArgs: args,
    ...(options['parallelism.default'] === undefined ? {} : { parallelism: Number(options['parallelism.default']) }),
    jobId: attempt.jobId,
    ...defined({
      savepointPath: recoveryOption(options, 'path'),
      allowNonRestoredState: ignoresUnclaimedState(options),
    }),
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
