import { DispatchError } from '../core/errors.ts';
import type { Attempt, RunRecord } from '../run/record.ts';
import type { ReadEvidence } from '../run/store/evidence-store.ts';

/** Which of the logs that were kept of a run. */
export interface LogChoice {
  /** Default: the last one. */
  readonly attempt?: string | undefined;
  /** Default: the JobManager's. */
  readonly pod?: string | undefined;
  readonly taskManagers?: boolean | undefined;
  /** Of the container before the one that runs. */
  readonly previous?: boolean | undefined;
  /** The last so many lines. */
  readonly tail?: string | undefined;
}

interface KeptLog {
  readonly pod: string;
  readonly previous: boolean;
  /** Of the piece of evidence. */
  readonly name: string;
}

export interface PodLog {
  readonly pod: string;
  readonly log: string;
}

/** Whose log a piece of evidence is; undefined for what is no log. */
export function logNamed(name: string): KeptLog | undefined {
  const [, pod, previous] = /^(.+?)(\.previous)?\.log$/.exec(name) ?? [];
  return pod === undefined ? undefined : { pod, previous: previous !== undefined, name };
}

/** @throws DispatchError `MalformedRequest` for an attempt that is not there */
export function attemptOf({ runId, attempts }: RunRecord, number: string | undefined): Attempt {
  const found = number === undefined ? attempts.at(-1) : attempts.find((attempt) => String(attempt.number) === number);
  if (found !== undefined) return found;
  const which = number === undefined ? '' : ` ${number}; it has ${attempts.length}`;
  throw new DispatchError('MalformedRequest', `run ${runId} has no attempt${which}`, { field: 'attempt' });
}

/**
 * Logs as they were kept last: while the run goes on, those of some time ago.
 * @throws DispatchError `MalformedRequest` when no log is such a one
 */
export async function keptLogs(run: RunRecord, choice: LogChoice, read: ReadEvidence): Promise<readonly PodLog[]> {
  const attempt = attemptOf(run, choice.attempt);
  const most = choice.tail === undefined ? undefined : linesIn(choice.tail);
  const texts = chosen(attempt, choice).map(async ({ pod, name }) => {
    const text = await read(run.runId, attempt.number, name);
    if (text !== undefined) return { pod, log: most === undefined ? text : lastLines(text, most) };
    throw new DispatchError('MalformedRequest', `${name} is no longer in the ledger`, { field: 'pod' });
  });
  return Promise.all(texts);
}

function linesIn(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new DispatchError('MalformedRequest', `tail '${text}' must be a number of lines`, { field: 'tail' });
}

/** Pods of TaskManagers bear it in their names, native ones as those of a Deployment. */
function chosen({ number, artifacts = [] }: Attempt, choice: LogChoice): readonly KeptLog[] {
  const { pod, taskManagers = false, previous = false } = choice;
  const all = artifacts.flatMap((name) => logNamed(name) ?? []);
  const found = all
    .filter((log) => (pod === undefined ? log.pod.includes('-taskmanager-') === taskManagers : log.pod === pod))
    .filter((log) => log.previous === previous);
  if (found.length > 0) return found;
  const kept = all.map(({ name }) => name).join(', ') || 'none';
  throw new DispatchError('MalformedRequest', `attempt ${number} has no such log; it has: ${kept}`, { field: 'pod' });
}

function lastLines(text: string, most: number): string {
  const lines = text.trimEnd().split('\n');
  return lines.slice(Math.max(0, lines.length - most)).join('\n');
}
