import type { LiveRun } from '../../run/store/live-runs.ts';
import type { RunRecord } from '../../run/record.ts';
import { MARKER_AGE, type SweepDeps } from './sweep-deps.ts';

/** Of a run that is closed, or never came to be. Its row is in the index before its marker goes. */
export async function forget(run: LiveRun, record: RunRecord | undefined, deps: SweepDeps): Promise<void> {
  if (record !== undefined) await deps.index.keep(record);
  const over = record !== undefined || deps.clock.now() - run.markedAt >= MARKER_AGE;
  if (over) await deps.live.forget(run);
}

/** What a list shows of a run that goes on, where a crash left it behind what the run is. */
export async function mendRow(run: LiveRun, record: RunRecord, { live, log }: SweepDeps): Promise<void> {
  const { runId, state } = record;
  try {
    if (await live.mend(run, record)) log.info('the row of a run was mended', { runId, state });
  } catch (error) {
    log.warn('the row of a run could not be mended', { runId, error });
  }
}

/** Rows of older runs are moved together, so that a list takes few requests. */
export async function foldRows({ index, log }: SweepDeps): Promise<void> {
  try {
    const rows = await index.fold();
    if (rows > 0) log.info('rows of older runs were moved to a sheet', { rows });
  } catch (error) {
    log.warn('rows of older runs could not be moved', { error });
  }
}
