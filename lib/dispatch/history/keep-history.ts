import { isTerminal } from '../../flink/job-state.ts';
import { figuresIn } from '../../flink/rest/figures.ts';
import { updateAttempt } from '../../run/machine.ts';
import type { ActiveRun, Attempt } from '../../run/record.ts';
import { isDraftDue, isSampleDue } from '../../run/samples/sampling.ts';
import { currentJob, jobsOf, resultOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import { withRun, type AttemptContext } from '../attempt-context.ts';
import { draftArchives } from './archive.ts';

/**
 * What a look at a job that goes on leaves for later: a sample, and a draft of its archive, as far as they are due. Nothing
 * rests on either: trouble with them is logged, and not tried again before the next one is due.
 */
export async function keepHistory(at: AttemptContext<ActiveRun>, observation: Observation): Promise<ActiveRun> {
  const { run, deps } = at;
  const job = currentJob(jobsOf(observation, run));
  if (run.state !== 'running' || job === undefined || isTerminal(job.state)) return run;
  const sampled = await keepSample(at, observation, job.id);
  return isDraftDue(at.attempt, deps.clock.now()) ? draftArchives(withRun(at, sampled), observation) : sampled;
}

async function keepSample(
  { run, job: { kind }, attempt, target, ref, deps }: AttemptContext<ActiveRun>,
  { rest }: Observation,
  jobId: string,
): Promise<ActiveRun> {
  const { clock, samples, log } = deps;
  const now = clock.now();
  if (rest.state === 'unreachable' || !isSampleDue(attempt, kind, now)) return run;
  const number = nextNumber(attempt);
  try {
    const figures = await target.history(ref).figures(jobId, kind);
    const sample = { ...figures, at: clock.now(), taskManagers: rest.facts.taskManagers };
    await samples.keep({ runId: run.runId, attempt: attempt.number, number }, sample);
  } catch (error) {
    log.warn('a sample was not kept', { runId: run.runId, error });
  }
  return updateAttempt(run, { sampled: { count: number, at: now } });
}

/** What was told of a job that has ended: the counts of short ones are known by it alone. */
export async function keepLastSample(at: AttemptContext<ActiveRun>, observation: Observation): Promise<void> {
  const { run, attempt, deps } = at;
  const { rest } = observation;
  const jobs = jobsOf(observation, run);
  const job = currentJob(jobs);
  try {
    const figures = job && figuresIn(job.id, resultOf(rest, jobs, job.id)?.answers ?? {});
    if (figures === undefined) return;
    const name = { runId: run.runId, attempt: attempt.number, number: nextNumber(attempt) };
    await deps.samples.keep(name, { ...figures, at: deps.clock.now() });
  } catch (error) {
    deps.log.warn('a sample was not kept', { runId: run.runId, error });
  }
}

function nextNumber({ sampled }: Attempt): number {
  return (sampled?.count ?? 0) + 1;
}
