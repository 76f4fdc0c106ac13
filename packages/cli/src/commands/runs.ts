import { has, valueOf, type Execute } from '../command.ts';
import { harmless, printJson, seconds, table } from '../terminal/io.ts';
import { openLedger } from '../ledger.ts';
import type { Attempt, RunRecord } from '../../../../lib/run/record.ts';
import { UsageError } from '../flags/usage.ts';

const DEFAULT_LIMIT = 100;
/** Reads of records side by side. */
const AT_ONCE = 16;

/** Runs that are not closed, or all; the newest first. */
export const list: Execute = async (io, parsed) => {
  const limit = limitOf(valueOf(parsed, 'limit'));
  const ledger = openLedger(io, parsed);
  const tenant = valueOf(parsed, 'tenant');
  const ids = has(parsed, 'all') ? await ledger.all(limit) : await ledger.live(limit, tenant);
  const records: RunRecord[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const read = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => ledger.read(id)));
    records.push(...read.filter((record) => tenant === undefined || record.tenant === tenant));
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
    io.out(harmless(table([['RUN', 'NAME', 'STATE', 'REASON', 'ACCEPTED'], ...rows])));
  }
  return 0;
};

/** One run: its outcome, and what there is to read of each attempt. */
export const show: Execute = async (io, parsed) => {
  const [runId, ...more] = parsed.args;
  if (runId === undefined || more.length > 0) throw new UsageError('runs show <run id>');
  const record = await openLedger(io, parsed).read(runId);
  if (has(parsed, 'json')) printJson(io, record);
  else io.out(harmless(described(record)));
  return 0;
};

function summary({ runId, tenant, name, state, outcome, createdAt, attempts }: RunRecord): unknown {
  const { reason, message } = outcome ?? {};
  return {
    runId,
    tenant,
    name,
    state,
    reason,
    message,
    acceptedAt: new Date(createdAt).toISOString(),
    attempts: attempts.length,
  };
}

function described({ runId, tenant, name, state, source, outcome, createdAt, attempts }: RunRecord): string {
  const lines = [
    `run ${runId} ${name}: ${state}`,
    `accepted ${new Date(createdAt).toISOString()} from a ${source.kind}${tenant === undefined ? '' : ` of tenant ${tenant}`}`,
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
  removalVerifiedAt,
  runtime,
  outcome,
  artifacts = [],
}: Attempt): string[] {
  const took =
    removalVerifiedAt === undefined ? 'its cluster is there' : `gone after ${seconds(removalVerifiedAt - launchedAt)}`;
  return [
    `attempt ${number}: cluster ${clusterId}, job ${jobId}, ${took}`,
    ...(runtime?.type === undefined ? [] : [`  Flink runs it as ${runtime.type}${checkpoints(runtime)}`]),
    ...(outcome === undefined ? [] : [`  ${outcome.reason}: ${outcome.message}${by(outcome)}`]),
    ...artifacts.map((artifact) => `  ${artifact}`),
  ];
}

function checkpoints({ checkpointInterval: interval }: NonNullable<Attempt['runtime']>): string {
  return interval === undefined ? '' : `, with a checkpoint every ${seconds(interval)}`;
}

/** The rule that `runs explain` shows. */
function by({ rule }: NonNullable<Attempt['outcome']>): string {
  return rule === undefined ? '' : ` (rule ${rule})`;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--limit ${text}: must be a number of runs`);
}
