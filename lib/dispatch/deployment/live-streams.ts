import { defined } from '../../core/defined.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { currentAttempt } from '../../run/machine.ts';
import type { ActiveRun, RunRecord } from '../../run/record.ts';
import { parseRow } from '../../run/row.ts';
import type { LiveRuns } from '../../run/store/live-runs.ts';
import type { DispatchDeps } from '../deps.ts';

export interface LiveStreamDeps extends Pick<DispatchDeps, 'ledger'> {
  readonly live: Pick<LiveRuns, 'list'>;
}

const PAGE = 1000;

/**
 * Runs of a job's name, beside any deployment, whose only job goes on and is run by Flink as a stream. In a session there are
 * none, and whoever says what becomes of another run has said it.
 */
export async function liveStreams(
  job: ResolvedJob,
  tenant: string | undefined,
  deps: LiveStreamDeps,
): Promise<readonly ActiveRun[]> {
  const found: ActiveRun[] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await deps.live.list({ limit: PAGE, ...defined({ after, tenant }) });
    for (const { runId, rows } of page) {
      // A row may be late, and lack.
      const may = rows.length === 0 || rows.some((row) => parseRow(row)?.name === job.name);
      const run = may ? (await deps.ledger.read(runId))?.value : undefined;
      if (run !== undefined && run.tenant === tenant && isStreamOf(job, run)) found.push(run);
    }
    after = page.at(-1)?.place;
    more = page.length === PAGE;
  }
  return found;
}

function isStreamOf({ target, namespace, name }: ResolvedJob, run: RunRecord): run is ActiveRun {
  if (run.state !== 'running' || run.deployment !== undefined || run.cancelRequested !== undefined) return false;
  const { job } = run;
  const isSame = job.target === target && job.namespace === namespace && job.name === name;
  if (!isSame || job.mode === 'session' || job.state !== undefined || job.concurrency !== undefined) return false;
  const { runtime, jobId } = currentAttempt(run);
  return runtime?.type === 'STREAMING' && runtime.jobId === jobId;
}
