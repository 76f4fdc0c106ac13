import type { JobState } from '../flink/job-state.ts';

/**
 * What a JobManager that is gone wrote about its job's end (org.apache.flink.runtime.executiongraph.DefaultExecutionGraph
 * logs `Job <name> (<id>) switched from state RUNNING to FINISHED.`). The last such line counts.
 */
export function terminalStateInLog(
  log: string,
  jobId: string,
): Extract<JobState, 'FINISHED' | 'FAILED' | 'CANCELED'> | undefined {
  const lines = log.split('\n').filter((line) => line.includes(`(${jobId}) switched from state`));
  const last = lines.at(-1);
  const state = last === undefined ? undefined : / to (FINISHED|FAILED|CANCELED)\b/.exec(last)?.[1];
  return state as ReturnType<typeof terminalStateInLog>;
}
