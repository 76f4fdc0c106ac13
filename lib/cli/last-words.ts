import type { RootException } from '../flink/job-manager.ts';
import { rootException } from '../flink/rest/root-exception.ts';

export interface LastWords {
  readonly id: string;
  readonly name: string;
  readonly state: 'FINISHED' | 'FAILED' | 'CANCELED';
  readonly rootException?: RootException;
}

const LOG_LINE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/;
const END = /Job (.*) \(([0-9a-f]{32})\) switched from state [A-Z]+ to (FINISHED|FAILED|CANCELED)\b/;

/**
 * What the log of a JobManager says about the end of its jobs: DefaultExecutionGraph writes
 * `Job <name> (<id>) switched from state FAILING to FAILED.`, and the exception below it.
 */
export function lastWords(log: string): LastWords[] {
  const lines = log.split('\n');
  const found = new Map<string, LastWords>();
  for (const [index, line] of lines.entries()) {
    const [, name, id, state] = END.exec(line) ?? [];
    if (name === undefined || id === undefined || state === undefined) continue;
    const trace = state === 'FAILED' ? below(lines, index) : '';
    const cause = trace === '' ? {} : { rootException: rootException(trace) };
    found.set(id, { id, name, state: state as LastWords['state'], ...cause });
  }
  return [...found.values()];
}

function below(lines: readonly string[], index: number): string {
  const rest = lines.slice(index + 1);
  const end = rest.findIndex((line) => LOG_LINE.test(line));
  return rest
    .slice(0, end === -1 ? rest.length : end)
    .join('\n')
    .trim();
}
