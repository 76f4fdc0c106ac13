import { has, type Execute } from '../command.ts';
import { harmless, printJson, seconds } from '../terminal/io.ts';
import { openLedger } from '../ledger.ts';
import type { Attempt, RunRecord } from '../../../../lib/run/record.ts';
import { UsageError } from '../flags/usage.ts';

/** One run: its outcome, and what there is to read of each attempt. */
export const show: Execute = async (io, parsed) => {
  const [runId, ...more] = parsed.args;
  if (runId === undefined || more.length > 0) throw new UsageError('runs show <run id>');
  const record = await openLedger(io, parsed).read(runId);
  if (has(parsed, 'json')) printJson(io, record);
  else io.out(harmless(described(record)));
  return 0;
};

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
