import { has, valueOf } from '../../command.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { printJson, type Io } from '../../terminal/io.ts';
import { openLedger, type LedgerReader } from '../../ledger.ts';
import type { Attempt, RunRecord } from '../../../../../lib/run/record.ts';
import type { ClusterRef } from '../../../../../lib/kubernetes/cluster/port.ts';
import { UsageError } from '../../flags/usage.ts';

interface EvidenceLog {
  readonly pod: string;
  readonly previous: boolean;
  readonly name: string;
}

/**
 * `logs --run`: what the ledger kept of the logs of a run, whose cluster may be gone. Answers the cluster, and prints
 * nothing, while the run is on it.
 */
export async function runLogs(io: Io, parsed: ParsedFlags, runId: string): Promise<ClusterRef | undefined> {
  const ledger = await openLedger(io, parsed);
  const record = await ledger.read(runId);
  const attempt = attemptOf(record, valueOf(parsed, 'attempt'));
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
  const logs = selected(attempt, parsed);
  const texts = await Promise.all(logs.map((log) => textOf(ledger, record, attempt, log, valueOf(parsed, 'tail'))));
  if (has(parsed, 'json')) {
    printJson(
      io,
      logs.map(({ pod }, index) => ({ pod, log: texts[index] })),
    );
    return undefined;
  }
  for (const [index, { pod }] of logs.entries()) {
    const prefix = logs.length > 1 ? `[${pod}] ` : '';
    for (const line of (texts[index] ?? '').trimEnd().split('\n')) io.out(`${prefix}${line}\n`);
  }
  return undefined;
}

export function attemptOf({ runId, attempts }: RunRecord, number: string | undefined): Attempt {
  const found = number === undefined ? attempts.at(-1) : attempts.find((attempt) => String(attempt.number) === number);
  if (found !== undefined) return found;
  throw new UsageError(
    `run ${runId} has no attempt${number === undefined ? '' : ` ${number}; it has ${attempts.length}`}`,
  );
}

/** Pods of TaskManagers bear it in their names, native ones as those of a Deployment. */
function selected({ number, artifacts = [] }: Attempt, parsed: ParsedFlags): EvidenceLog[] {
  const all = artifacts.flatMap((name): EvidenceLog[] => {
    const [, pod, previous] = /^(.+?)(\.previous)?\.log$/.exec(name) ?? [];
    return pod === undefined ? [] : [{ pod, previous: previous !== undefined, name }];
  });
  const pod = valueOf(parsed, 'pod');
  const taskManagers = has(parsed, 'taskmanagers');
  const found = all
    .filter((log) => (pod === undefined ? log.pod.includes('-taskmanager-') === taskManagers : log.pod === pod))
    .filter(({ previous }) => previous === has(parsed, 'previous'));
  if (found.length > 0) return found;
  const kept = all.map(({ name }) => name).join(', ') || 'none';
  throw new UsageError(`attempt ${number} has no such log; it has: ${kept}`);
}

async function textOf(
  ledger: LedgerReader,
  { runId }: RunRecord,
  { number }: Attempt,
  { name }: EvidenceLog,
  tail: string | undefined,
): Promise<string> {
  const text = await ledger.evidence(runId, number, name);
  if (text === undefined) throw new UsageError(`${name} is no longer in the ledger`);
  if (tail === undefined) return text;
  const lines = text.trimEnd().split('\n');
  return lines.slice(Math.max(0, lines.length - Number(tail))).join('\n');
}
