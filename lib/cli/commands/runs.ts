import { has, valueOf, type Execute } from '../command.ts';
import { printJson, seconds, table } from '../io.ts';
import { openLedger } from '../ledger.ts';
import type { Attempt, RunRecord } from '../../run/record.ts';
import { UsageError } from '../usage.ts';

const DEFAULT_LIMIT = 100;
/** Reads of records side by side. */
const AT_ONCE = 16;

/** Runs that are not closed, or all; the newest first. */
export const list: Execute = async (io, parsed) => {
  const limit = limitOf(valueOf(parsed, 'limit'));
  const ledger = openLedger(io, parsed);
  const ids = has(parsed, 'all') ? await ledger.all(limit) : await ledger.live(limit);
  const records: RunRecord[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    records.push(...(await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => ledger.read(id)))));
  }
  records.sort((a, b) => b.createdAt - a.createdAt);
  if (has(parsed, 'json')) printJson(io, records.map(summary));
  else if (records.length === 0)
    io.err(has(parsed, 'all') ? 'no runs\n' : 'no run is live; --all lists closed ones too\n');
  else {
    const rows = records.map(({ runId, name, state, outcome, createdAt }) => [
      ...[runId, name, state, outcome?.reason ?? '-'],
      new Date(createdAt).toISOString(),
    ]);
    io.out(table([['RUN', 'NAME', 'STATE', 'REASON', 'ACCEPTED'], ...rows]));
  }
  return 0;
};

/** One run: its outcome, and what there is to read of each attempt. */
export const show: Execute = async (io, parsed) => {
  const [runId, ...more] = parsed.args;
  if (runId === undefined || more.length > 0) throw new UsageError('runs show <run id>');
  const record = await openLedger(io, parsed).read(runId);
  if (has(parsed, 'json')) printJson(io, record);
  else io.out(described(record));
  return 0;
};

function summary({ runId, name, state, outcome, createdAt, attempts }: RunRecord): unknown {
  const { reason, message } = outcome ?? {};
  return {
    runId,
    name,
    state,
    reason,
    message,
    acceptedAt: new Date(createdAt).toISOString(),
    attempts: attempts.length,
  };
}

function described({ runId, name, state, source, outcome, createdAt, attempts }: RunRecord): string {
  const lines = [
    `run ${runId} ${name}: ${state}`,
    `accepted ${new Date(createdAt).toISOString()} from a ${source.kind}`,
  ];
  if (outcome !== undefined) lines.push(`${outcome.state}, ${outcome.reason}: ${outcome.message}`);
  if (outcome?.rootException !== undefined) lines.push(outcome.rootException);
  return [...lines, ...attempts.flatMap(describedAttempt)].map((line) => `${line}\n`).join('');
}

function describedAttempt({
  number,
  clusterId,
  jobId,
  launchedAt,
  goneAt,
  outcome,
  artifacts = [],
}: Attempt): string[] {
  const took = goneAt === undefined ? 'its cluster is there' : `gone after ${seconds(goneAt - launchedAt)}`;
  return [
    `attempt ${number}: cluster ${clusterId}, job ${jobId}, ${took}`,
    ...(outcome === undefined ? [] : [`  ${outcome.reason}: ${outcome.message}`]),
    ...artifacts.map((artifact) => `  ${artifact}`),
  ];
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--limit ${text}: must be a number of runs`);
}
