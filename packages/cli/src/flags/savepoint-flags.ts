import { defined } from '../../../../lib/core/defined.ts';
import { isJobId } from '../../../../lib/core/ids.ts';
import type { SavepointRequest } from '../../../../lib/flink/job-manager.ts';
import { has, valueOf } from '../command.ts';
import type { Flag, ParsedFlags } from './flags.ts';
import { UsageError } from './usage.ts';

export const SAVEPOINT_TIMEOUT = 10 * 60_000;

export const FORMAT: Flag = {
  short: 'type',
  long: 'type',
  takes: 'value',
  value: 'format',
  help: 'Format of the savepoint: canonical (default) or native.',
};
export const DETACHED: Flag = {
  long: 'detached',
  help: 'Answer the id of the savepoint operation and do not wait for it.',
};

/** @throws UsageError */
export function savepointRequest(targetDirectory: string | undefined, type: string | undefined): SavepointRequest {
  const formatType = type?.toUpperCase();
  if (formatType !== undefined && formatType !== 'CANONICAL' && formatType !== 'NATIVE') {
    throw new UsageError(`--type ${type ?? ''}: must be canonical or native`);
  }
  return defined({ targetDirectory, formatType });
}

/**
 * Flags of Flink with an optional directory take the job id when nothing follows it: `cancel -s <job id>` and
 * `cancel -s <directory> <job id>`.
 */
export function savepointArguments(
  parsed: ParsedFlags,
  flag: string,
): { readonly jobId: string | undefined; readonly targetDirectory: string | undefined } {
  const [jobId] = parsed.args;
  const value = has(parsed, flag) ? valueOf(parsed, flag) : undefined;
  if (jobId === undefined && value !== undefined && isJobId(value)) return { jobId: value, targetDirectory: undefined };
  return { jobId, targetDirectory: value === '' ? undefined : value };
}
