import type { JobState } from '../flink/job-state.ts';

type TerminalState = Extract<JobState, 'FINISHED' | 'FAILED' | 'CANCELED'>;

/**
 * What a JobManager wrote about its job's end: `Job <name> (<id>) switched from state RUNNING to FINISHED.`
 * (org.apache.flink.runtime.executiongraph.DefaultExecutionGraph), and for every scheduler and for a job that fails before
 * it has a graph `Job <id> reached terminal state FAILED.` (org.apache.flink.runtime.dispatcher.Dispatcher). The last such
 * line counts.
 */
export function terminalStateInLog(log: string, jobId: string): TerminalState | undefined {
  const said = log.split('\n').flatMap((line) => stateIn(line, jobId) ?? []);
  return said.at(-1) === 'OTHER' ? undefined : (said.at(-1) as TerminalState | undefined);
}

function stateIn(line: string, jobId: string): string | undefined {
  const reached = line.includes(`Job ${jobId} reached terminal state`);
  if (!reached && !line.includes(`(${jobId}) switched from state`)) return undefined;
  return / (?:to|state) (FINISHED|FAILED|CANCELED)\b/.exec(line.slice(line.indexOf(jobId)))?.[1] ?? 'OTHER';
}
