import { has, valueOf } from '../../command.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { printJson, type Io } from '../../terminal/io.ts';
import { openLedger } from '../../ledger.ts';
import { isDispatchError } from '../../../../../lib/core/errors.ts';
import { attemptOf, keptLogs, type LogChoice } from '../../../../../lib/operate/kept-logs.ts';
import type { Attempt, RunRecord } from '../../../../../lib/run/record.ts';
import type { ClusterRef } from '../../../../../lib/kubernetes/cluster/port.ts';
import { UsageError } from '../../flags/usage.ts';

/**
 * `logs --run`: what the ledger kept of the logs of a run, whose cluster may be gone. Answers the cluster, and prints
 * nothing, while the run is on it.
 */
export async function runLogs(io: Io, parsed: ParsedFlags, runId: string): Promise<ClusterRef | undefined> {
  const ledger = await openLedger(io, parsed);
  const record = await ledger.read(runId);
  const attempt = namedAttempt(record, valueOf(parsed, 'attempt'));
  const namespace = record.job?.namespace;
  const kept = attempt.artifacts?.some((name) => name.endsWith('.log')) === true;
  const last = attempt === record.attempts.at(-1);
  // While it goes on, what was kept of its log is a copy of some time ago.
  const isLive = attempt.outcome === undefined || (!kept && record.state !== 'closed');
  if (last && isLive && namespace !== undefined) {
    return { clusterId: attempt.clusterId, namespace };
  }
  if (has(parsed, 'follow'))
    throw new UsageError(`--follow: attempt ${attempt.number} has ended, and its log is whole`);
  const logs = await keptLogs(record, choiceOf(parsed), (...piece) => ledger.evidence(...piece)).catch(asUsage);
  if (has(parsed, 'json')) {
    printJson(io, logs);
    return undefined;
  }
  for (const { pod, log } of logs) {
    const prefix = logs.length > 1 ? `[${pod}] ` : '';
    for (const line of log.trimEnd().split('\n')) io.out(`${prefix}${line}\n`);
  }
  return undefined;
}

/** @throws UsageError for one that is not there */
export function namedAttempt(run: RunRecord, number: string | undefined): Attempt {
  try {
    return attemptOf(run, number);
  } catch (error) {
    return asUsage(error);
  }
}

function choiceOf(parsed: ParsedFlags): LogChoice {
  const [attempt, pod, tail] = ['attempt', 'pod', 'tail'].map((name) => valueOf(parsed, name));
  return { attempt, pod, tail, taskManagers: has(parsed, 'taskmanagers'), previous: has(parsed, 'previous') };
}

function asUsage(error: unknown): never {
  throw isDispatchError(error) && error.reason === 'MalformedRequest' ? new UsageError(error.message) : error;
}
