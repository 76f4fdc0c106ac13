import type { JobState } from '../../flink/job-state.ts';

export type TerminalState = Extract<JobState, 'FINISHED' | 'FAILED' | 'CANCELED'>;

export interface JobStateChange {
  readonly id: string;
  /** Only where Flink names the job. */
  readonly name?: string;
  /** `undefined`: a state that is no end. */
  readonly state: TerminalState | undefined;
}

const SWITCHED = ') switched from state ';
const JOB = 'Job ';
const ID = /^[0-9a-f]{32}$/;
const REACHED = /\bJob ([0-9a-f]{32}) reached (?:globally )?terminal state ([A-Z]+)/;

/** org.apache.flink.runtime.executiongraph.DefaultExecutionGraph: `Job <name> (<id>) switched from state X to Y.` */
function switched(message: string): JobStateChange | undefined {
  const end = message.lastIndexOf(SWITCHED);
  const start = message.indexOf(JOB);
  const id = message.slice(Math.max(0, end - 32), Math.max(0, end));
  if (end < 0 || start < 0 || !ID.test(id) || message.slice(end - 34, end - 32) !== ' (') return undefined;
  const state = /^[A-Z]+ to ([A-Z]+)\b/.exec(message.slice(end + SWITCHED.length))?.[1];
  return { id, name: message.slice(start + JOB.length, end - 34), state: terminal(state) };
}

/**
 * The job state that a message tells of, also by the line that org.apache.flink.runtime.dispatcher.Dispatcher and the
 * schedulers write of every job, and of one that failed before it had a graph: `Job <id> reached terminal state X.`
 */
export function jobStateIn(message: string): JobStateChange | undefined {
  const [, id, state] = REACHED.exec(message) ?? [];
  return id === undefined ? switched(message) : { id, state: terminal(state) };
}

function terminal(state: string | undefined): TerminalState | undefined {
  return state === 'FINISHED' || state === 'FAILED' || state === 'CANCELED' ? state : undefined;
}
