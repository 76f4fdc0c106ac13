import type { JobResult, JobSummary, RootException } from '../../../../lib/flink/job-manager.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import { jobEndsInLog, type JobEnd } from '../../../../lib/diagnosis/terminal-state-log.ts';

export interface JobEnding {
  readonly job: JobSummary;
  /** Absent when the cluster was gone before it could be asked. */
  readonly result?: JobResult;
}

/** How the application ended. */
export type Ending = Known | Unknown;

interface Common {
  readonly jobs: readonly JobEnding[];
  /** Its cluster is still there, and would begin main() again for ever. */
  readonly stuck?: true;
}

type Known = Common & ({ readonly state: 'FINISHED' | 'CANCELED' } | Failed);

interface Failed {
  readonly state: 'FAILED';
  readonly reason: string;
  readonly message: string;
  readonly stackTrace?: string;
}

type Unknown = Common & ({ readonly state: 'UNKNOWN'; readonly message: string } | { readonly state: 'INTERRUPTED' });

export function failedJob(jobs: readonly JobEnding[]): Known | undefined {
  const failed = jobs.find(({ job }) => job.state === 'FAILED');
  if (failed === undefined) return undefined;
  const root = failed.result?.rootException;
  return {
    state: 'FAILED',
    jobs,
    reason: 'JobFailed',
    message: root?.message ?? `job ${failed.job.id} failed; its exception could not be read`,
    ...(root !== undefined && { stackTrace: root.stackTrace }),
  };
}

/** main() failed, and none of its jobs did. */
export function applicationFailed(jobs: readonly JobEnding[], cause: RootException | undefined): Known {
  return {
    state: 'FAILED',
    jobs,
    reason: 'ApplicationFailed',
    message: cause?.message ?? 'main() failed; the log has the reason',
    ...(cause !== undefined && { stackTrace: cause.stackTrace }),
  };
}

export function allEnded(jobs: readonly JobEnding[]): boolean {
  return jobs.length > 0 && jobs.every(({ job }) => isTerminal(job.state));
}

/** Of jobs that have all ended. */
export function endingOf(jobs: readonly JobEnding[]): Known {
  const failed = failedJob(jobs);
  if (failed !== undefined) return failed;
  return { state: jobs.some(({ job }) => job.state === 'CANCELED') ? 'CANCELED' : 'FINISHED', jobs };
}

/** Jobs whose end, or whose reason, was not seen over REST: the JobManager's log still tells them. */
export function withLog(seen: readonly JobEnding[], log: string): JobEnding[] {
  const ends = jobEndsInLog(log);
  const known = seen.map((ending) => {
    const end = ends.find(({ id }) => id === ending.job.id);
    const untold = !isTerminal(ending.job.state) || (ending.job.state === 'FAILED' && ending.result === undefined);
    return end === undefined || !untold ? ending : endingInLog(ending.job, end);
  });
  const unseen = ends.filter(({ id }) => seen.every(({ job }) => job.id !== id));
  return [...known, ...unseen.map((end) => endingInLog({ ...UNSEEN, id: end.id, name: end.name ?? end.id }, end))];
}

const UNSEEN = { startTime: 0, endTime: 0, duration: 0, tasks: {} } as const;

function endingInLog(job: Omit<JobSummary, 'state'>, { state, rootException }: JobEnd): JobEnding {
  const ended = { ...job, state };
  return rootException === undefined ? { job: ended } : { job: ended, result: { rootException, answers: {} } };
}
