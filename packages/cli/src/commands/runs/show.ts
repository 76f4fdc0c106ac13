import { has, type Execute } from '../../command.ts';
import { harmless, printJson, seconds } from '../../terminal/io.ts';
import { openLedger } from '../../ledger.ts';
import type { ResolvedJob } from '../../../../../lib/job/job.ts';
import { waitOf } from '../../../../../lib/run/gate.ts';
import type { Attempt, RunRecord } from '../../../../../lib/run/record.ts';
import { nextCommands } from '../../../../../lib/view/next-commands.ts';
import { UsageError } from '../../flags/usage.ts';

/** One run: its outcome, and what there is to read of each attempt. */
export const show: Execute = async (io, parsed) => {
  const [runId, ...more] = parsed.args;
  if (runId === undefined || more.length > 0) throw new UsageError('runs show <run id>');
  const record = await (await openLedger(io, parsed)).read(runId);
  if (has(parsed, 'json')) printJson(io, record);
  else io.out(harmless(described(record)));
  return 0;
};

function described(run: RunRecord): string {
  const { runId, tenant, name, state, source, outcome, createdAt, attempts, job, deployment } = run;
  const lines = [
    `run ${runId} ${name}: ${state}`,
    `accepted ${timeOf(createdAt)} from a ${source.kind}${tenant === undefined ? '' : ` of tenant ${tenant}`}`,
  ];
  if (outcome !== undefined) lines.push(`${outcome.state}, ${outcome.reason}: ${outcome.message}`);
  if (outcome?.rootException !== undefined) lines.push(outcome.rootException);
  const waiting = waitOf(run);
  if (waiting !== undefined) lines.push(`waits since ${timeOf(waiting.since)}: ${waiting.reason}: ${waiting.message}`);
  if (deployment !== undefined) lines.push(`of deployment ${deployment.id}, generation ${deployment.generation}`);
  if (job !== undefined) lines.push(...describedJob(job));
  const parts = [...lines, ...attempts.flatMap(describedAttempt), ...nextCommands(run)];
  return parts.map((line) => `${line}\n`).join('');
}

function describedJob({ target, namespace, jar, args, options, notes = [] }: ResolvedJob): string[] {
  const image = options['kubernetes.container.image.ref'];
  return [
    `target ${target}, namespace ${namespace}`,
    `jar ${jar.uri}${jar.pinned === undefined ? '' : ` (SHA-256 ${jar.pinned.sha256})`}`,
    ...(image === undefined ? [] : [`image ${image}`]),
    ...(args.length === 0 ? [] : [`args ${JSON.stringify(args)}`]),
    ...notes.map((note) => `note: ${note}`),
  ];
}

function timeOf(instant: number): string {
  return new Date(instant).toISOString();
}

function describedAttempt({
  number,
  clusterId,
  jobId,
  launchedAt,
  removalVerifiedAt,
  runtime,
  outcome,
  remedy = [],
  artifacts = [],
}: Attempt): string[] {
  const took =
    removalVerifiedAt === undefined ? 'its cluster is there' : `gone after ${seconds(removalVerifiedAt - launchedAt)}`;
  return [
    `attempt ${number}: cluster ${clusterId}, job ${jobId}, ${took}`,
    ...(runtime?.type === undefined ? [] : [`  Flink runs it as ${runtime.type}${checkpoints(runtime)}`]),
    ...(outcome === undefined ? [] : [`  ${outcome.reason}: ${outcome.message}${by(outcome)}`]),
    ...remedy.map(({ key, from, to }) => `  the next attempt has more: ${key} ${from} → ${to}`),
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
