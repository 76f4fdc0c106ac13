import type { RootException } from '../flink/job-manager.ts';
import { rootException } from '../flink/rest/root-exception.ts';

const LOG_LINE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/;

/**
 * What the log of a JobManager says about the end of a job: DefaultExecutionGraph writes
 * `Job <name> (<id>) switched from state FAILING to FAILED.`, and the exception below it.
 */
export function lastWords(
  log: string,
  jobId: string,
): { readonly state: 'FINISHED' | 'FAILED' | 'CANCELED'; readonly rootException?: RootException } | undefined {
  const lines = log.split('\n');
  const at = lines.findLastIndex((line) => line.includes(`(${jobId}) switched from state`) && END.test(line));
  const state = END.exec(lines[at] ?? '')?.[1] as 'FINISHED' | 'FAILED' | 'CANCELED' | undefined;
  if (state === undefined) return undefined;
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => LOG_LINE.test(line));
  const trace = below
    .slice(0, end === -1 ? below.length : end)
    .join('\n')
    .trim();
  return state === 'FAILED' && trace !== '' ? { state, rootException: rootException(trace) } : { state };
}

const END = / to (FINISHED|FAILED|CANCELED)\b/;
