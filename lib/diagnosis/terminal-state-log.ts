import { defined } from '../core/defined.ts';
import type { RootException } from '../flink/job-manager.ts';
import { rootException } from '../flink/rest/root-exception.ts';
import { traceIn } from '../flink/root-cause.ts';
import type { LogEntry } from './flink-log/entry.ts';
import { jobStateIn, type JobStateChange, type TerminalState } from './flink-log/job-states.ts';
import { readLog } from './flink-log/read-log.ts';

/** The end of a job, as the log of its JobManager tells it. */
export interface JobEnd {
  readonly id: string;
  /** Absent where the log has only the line of the Dispatcher, which does not name the job. */
  readonly name?: string;
  readonly state: TerminalState;
  /** Of a job that failed, where the log has its exception. */
  readonly rootException?: RootException;
}

/** The jobs that a log tells the end of, in the order of their first line. The last line of a job counts. */
export function jobEndsInLog(log: string): readonly JobEnd[] {
  return jobsInLog(log).flatMap(({ end }) => end ?? []);
}

/** All jobs that a log tells of; those without an end went on, as far as it goes. */
export function jobsInLog(log: string): readonly JobInLog[] {
  const known = new Map<string, JobInLog>();
  for (const { change, below } of readLog(log).flatMap(changesIn)) {
    const before = known.get(change.id);
    const { id } = change;
    const named = defined({ name: change.name ?? before?.name });
    known.set(id, { id, ...named, ...defined({ end: endOf({ ...change, ...named }, below, before) }) });
  }
  return [...known.values()];
}

export interface JobInLog {
  readonly id: string;
  readonly name?: string;
  readonly end?: JobEnd;
}

interface Told {
  readonly change: JobStateChange;
  /** What the log has below the line: the exception of a job that failed. */
  readonly below: string;
}

/** In lines without a header it is not known to which of them a stack trace belongs. */
function changesIn({ logged, message, below, text }: LogEntry): readonly Told[] {
  const lines = logged ? [message] : text.split('\n');
  return lines.flatMap((line) => {
    const change = jobStateIn(line);
    return change === undefined ? [] : [{ change, below: logged ? below : '' }];
  });
}

/** An earlier line of the same end may have told the exception. */
function endOf({ state, ...job }: JobStateChange, below: string, before: JobInLog | undefined): JobEnd | undefined {
  if (state === undefined) return undefined;
  const trace = state === 'FAILED' ? traceIn(below) : undefined;
  const cause = trace === undefined ? undefined : rootException(trace);
  const told = cause ?? (before?.end?.state === state ? before.end.rootException : undefined);
  return { ...job, state, ...(told === undefined ? {} : { rootException: told }) };
}
