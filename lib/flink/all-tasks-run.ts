import type { JobSummary } from './job-manager.ts';

/** Or have finished: none is about to start, as in a restart or a rescale. */
export function allTasksRun({ state, tasks }: JobSummary): boolean {
  const { RUNNING: running = 0, TOTAL: total = 0, FINISHED: finished = 0 } = tasks;
  return state === 'RUNNING' && running > 0 && running + finished >= total;
}
