import { defined } from '../../core/defined.ts';
import { archiveOf, withEnd, type Archive, type JobEnd } from '../../flink/archive/archive.ts';
import { isRecord } from '../../core/json.ts';
import type { JobAnswers } from '../../flink/job-history.ts';
import type { JobSummary } from '../../flink/job-manager.ts';
import { currentAttempt, updateAttempt } from '../../run/machine.ts';
import type { ActiveRun, EndedRun, HasAttempt, LaunchedRun, Outcome } from '../../run/record.ts';
import type { ArchiveName } from '../../run/store/history/archive-store.ts';
import { jobsOf, resultOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { AttemptContext } from '../attempt-context.ts';
import type { DispatchDeps } from '../deps.ts';

/** Of an application with more, the last ones. */
const MOST_JOBS = 5;

type Answered = Extract<Observation['rest'], { state: 'answered' }>;

/** Writes down what the JobManager tells of the attempt's jobs, in case it dies. */
export async function draftArchives(at: AttemptContext<ActiveRun>, observation: Observation): Promise<ActiveRun> {
  const { run, attempt, deps } = at;
  const draftedAt = deps.clock.now();
  const jobs = await eachJob(at, observation, (name, archive) => deps.archives.draft(name, archive));
  return updateAttempt(run, { archive: { jobs: union(attempt.archive?.jobs, jobs), draftedAt } });
}

/**
 * Archives the jobs of an attempt that ends, while its JobManager may still tell of them; what it does not tell any more is
 * taken from the drafts.
 */
export async function archiveAttempt(
  at: AttemptContext<ActiveRun>,
  observation: Observation,
  outcome: Outcome,
): Promise<ActiveRun> {
  const { deps, attempt } = at;
  const jobs = await eachJob(at, observation, (name, archive) =>
    deps.archives.keep(name, withEnd(name.jobId, archive, endOf(outcome))),
  );
  const missing = (attempt.archive?.jobs ?? []).filter((id) => !jobs.includes(id));
  return endArchive(at.run, [...jobs, ...(await finishDrafts(at, missing, outcome))], deps);
}

/** Whether the end of a run was not seen, so that its archive is still to be made of what was drafted. */
export function isArchiveOpen(run: EndedRun & HasAttempt): boolean {
  const { archive } = currentAttempt(run);
  return archive !== undefined && archive.endedAt === undefined;
}

/** The same of a run whose end no look saw. */
export async function archiveUnseen(run: EndedRun & HasAttempt, deps: DispatchDeps): Promise<EndedRun> {
  const jobs = await finishDrafts({ run, deps }, currentAttempt(run).archive?.jobs ?? [], run.outcome);
  return endArchive(run, jobs, deps);
}

function endArchive<R extends LaunchedRun>(run: R, jobs: readonly string[], { clock }: DispatchDeps): R {
  const { draftedAt } = currentAttempt(run).archive ?? {};
  if (jobs.length === 0 && draftedAt === undefined) return run;
  return updateAttempt(run, { archive: { jobs, ...defined({ draftedAt }), endedAt: clock.now() } });
}

/** Answers the ids of those that were written. */
async function eachJob(
  at: AttemptContext<ActiveRun>,
  observation: Observation,
  write: (name: ArchiveName, archive: Archive) => Promise<void>,
): Promise<readonly string[]> {
  const { run, target, ref } = at;
  const { rest } = observation;
  if (rest.state === 'unreachable') return [];
  const jobs = jobsOf(observation, run);
  const history = target.history(ref);
  return logged(at, jobs.slice(-MOST_JOBS), async ({ id }) => {
    const archive = archiveOf(id, await history.answers(id, knownOf(rest, jobs, id)));
    if (archive === undefined) return false;
    await write(nameOf(run, id), archive);
    return true;
  });
}

/** Makes archives of drafts; answers the ids of those that were written. */
async function finishDrafts(
  at: Pick<AttemptContext, 'run' | 'deps'>,
  ids: readonly string[],
  outcome: Outcome,
): Promise<readonly string[]> {
  const { archives } = at.deps;
  return logged(
    at,
    ids.map((id) => ({ id })),
    async ({ id }) => {
      const name = nameOf(at.run, id);
      const draft = await archives.readDraft(name);
      if (draft === undefined) return false;
      await archives.keep(name, withEnd(id, draft, endOf(outcome)));
      return true;
    },
  );
}

/** One after another: what one answers may be large. Trouble with one says nothing of the run. */
async function logged<T extends { readonly id: string }>(
  { run, deps }: Pick<AttemptContext, 'run' | 'deps'>,
  jobs: readonly T[],
  archive: (job: T) => Promise<boolean>,
): Promise<readonly string[]> {
  const done: string[] = [];
  for (const job of jobs) {
    try {
      if (await archive(job)) done.push(job.id);
    } catch (error) {
      deps.log.warn('a job was not archived', { runId: run.runId, jobId: job.id, error });
    }
  }
  return done;
}

function nameOf(run: LaunchedRun, jobId: string): ArchiveName {
  const { runId, tenant } = run;
  return { runId, ...defined({ tenant }), attempt: currentAttempt(run).number, jobId };
}

/** Flink has no word for an end that nobody knows. */
function endOf({ state, message, at, rootException, stackTrace }: Outcome): JobEnd {
  if (state === 'succeeded') return { state: 'FINISHED', at };
  if (state === 'canceled') return { state: 'CANCELED', at };
  return { state: 'FAILED', at, exception: { message: rootException ?? message, stackTrace: stackTrace ?? message } };
}

function union(before: readonly string[] = [], now: readonly string[]): readonly string[] {
  return [...new Set([...before, ...now])].slice(-MOST_JOBS);
}

/** What the look asked already; an answer that was cut is asked for again. */
function knownOf(rest: Answered, jobs: readonly JobSummary[], id: string): JobAnswers {
  const answers = resultOf(rest, jobs, id)?.answers ?? {};
  return Object.fromEntries(
    Object.entries(answers).filter(([, one]) => !(isRecord(one) && typeof one['head'] === 'string')),
  );
}
