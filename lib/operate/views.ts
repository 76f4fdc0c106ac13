import * as z from 'zod';
import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { REASON_CODES, REASONS } from '../core/reasons.ts';
import { redactJson } from '../core/redaction/redact.ts';
import type { ResolvedJob } from '../job/job.ts';
import { requestOf } from '../outcome/event.ts';
import { requestSchema } from '../outcome/schema.ts';
import type { Attempt, Outcome, RunRecord } from '../run/record.ts';
import { ROW_STATES, stateOf, TRIGGERS, type RunRow } from '../run/row.ts';

/*
 * What people and programs are shown of runs, whatever asks for it: a list's rows, and a run. Made of a record alone, without
 * secrets; a record holds more, and may change with a version.
 */
const time = z.iso.datetime().describe('UTC, milliseconds');
const reason = z.enum(REASON_CODES);
export const runIdText = z.string().regex(/^[0-9a-f]{20}$/);

export const rowViewSchema = z.object({
  runId: runIdText,
  tenant: z.string().exactOptional(),
  name: z.string().describe("The job's name, at most 45 characters of it"),
  trigger: z.enum(TRIGGERS),
  state: z.enum(ROW_STATES).describe('Its outcome, once it has one'),
  reason: z.string().exactOptional().describe('Of its outcome, or why it waits'),
  acceptedAt: time,
  endedAt: time.exactOptional().describe('When it had its outcome'),
  attempts: z.int().nonnegative(),
  tag: z.string().exactOptional().describe('As of a backfill'),
});
export type RowView = z.output<typeof rowViewSchema>;

export function rowView({ acceptedAt, endedAt, ...row }: RunRow): RowView {
  return { ...row, acceptedAt: iso(acceptedAt), ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }) };
}

const outcomeView = z.object({
  state: z.enum(['succeeded', 'failed', 'canceled', 'rejected', 'skipped', 'unknown']),
  reason,
  reasonClass: z.enum(['none', 'user', 'infrastructure', 'capacity', 'internal']),
  message: z.string(),
  todo: z.string(),
  field: z.string().exactOptional(),
  rootException: z.string().exactOptional(),
  accumulators: z.record(z.string(), z.string()).exactOptional(),
  at: time,
});

export const jobViewSchema = z.object({
  mode: z.string(),
  target: z.string(),
  namespace: z.string(),
  flinkVersion: z.string(),
  image: z.string().exactOptional(),
  jar: z.string(),
  jarSha256: z.string().exactOptional(),
  args: z.array(z.string()),
  notes: z.array(z.string()).exactOptional(),
});

export const runViewSchema = z.object({
  runId: runIdText,
  tenant: z.string().exactOptional(),
  name: z.string(),
  state: z.enum(ROW_STATES).describe('Its outcome, once it has one'),
  isClosed: z.boolean().describe('Whether a look proved that nothing of it is left'),
  request: requestSchema.describe('Where it came from'),
  acceptedAt: time,
  tag: z.string().exactOptional().describe('As of a backfill'),
  job: jobViewSchema.exactOptional().describe('Absent where it could not be read'),
  waiting: z.object({ reason, message: z.string(), since: time }).exactOptional(),
  deployment: z
    .object({ id: z.string(), generation: z.int().positive() })
    .exactOptional()
    .describe('Of a stream that keeps its state'),
  again: z
    .object({ of: runIdText, exactly: z.boolean().describe('With the same bytes, image and configuration') })
    .exactOptional()
    .describe('The run that it does again'),
  cancelRequestedAt: time.exactOptional(),
  attempts: z.array(
    z.object({
      number: z.int().positive(),
      clusterId: z.string(),
      jobId: z.string(),
      launchedAt: time,
      runningAt: time.exactOptional(),
      outcome: outcomeView.exactOptional(),
      evidence: z.array(z.string()).describe('Names of what was kept of it'),
      removedAt: time.exactOptional().describe('When none of its objects was left'),
    }),
  ),
  outcome: outcomeView.exactOptional(),
});
export type RunView = z.output<typeof runViewSchema>;

export function runView(run: RunRecord): RunView {
  const {
    runId,
    tenant,
    name,
    state,
    source,
    createdAt,
    job,
    waiting,
    deployment,
    cancelRequested,
    outcome,
    again,
    tag,
  } = run;
  const view: RunView = {
    runId,
    ...defined({ tenant }),
    name,
    state: stateOf(run),
    isClosed: state === 'closed',
    request: requestOf(source),
    acceptedAt: iso(createdAt),
    ...defined({ tag }),
    ...(job === undefined ? {} : { job: jobView(job) }),
    ...(waiting === undefined || outcome !== undefined ? {} : { waiting: waitingView(waiting) }),
    ...(deployment === undefined ? {} : { deployment: { id: deployment.id, generation: deployment.generation } }),
    ...(again === undefined ? {} : { again: { of: again.of, exactly: again.exactly } }),
    ...(cancelRequested === undefined ? {} : { cancelRequestedAt: iso(cancelRequested.at) }),
    attempts: run.attempts.map(attemptView),
    ...(outcome === undefined ? {} : { outcome: outcomeViewOf(outcome) }),
  };
  return redactJson(view);
}

/** With its secrets: for `redactJson`. */
export function jobView(job: ResolvedJob): z.output<typeof jobViewSchema> {
  const { mode, target, namespace, flinkVersion, options, jar, args, notes } = job;
  return {
    ...{ mode, target, namespace, flinkVersion },
    ...defined({ image: options['kubernetes.container.image.ref'] }),
    jar: jar.uri,
    ...defined({ jarSha256: jar.pinned?.sha256 }),
    args: [...args],
    ...(notes === undefined ? {} : { notes: [...notes] }),
  };
}

function waitingView({ reason: why, message, since }: NonNullable<RunRecord['waiting']>): RunView['waiting'] & object {
  return { reason: why, message, since: iso(since) };
}

function attemptView(attempt: Attempt): RunView['attempts'][number] {
  const { number, clusterId, jobId, launchedAt, runningAt, outcome, artifacts = [], removalVerifiedAt } = attempt;
  return {
    ...{ number, clusterId, jobId, launchedAt: iso(launchedAt) },
    ...(runningAt === undefined ? {} : { runningAt: iso(runningAt) }),
    ...(outcome === undefined ? {} : { outcome: outcomeViewOf(outcome) }),
    evidence: [...artifacts],
    ...(removalVerifiedAt === undefined ? {} : { removedAt: iso(removalVerifiedAt) }),
  };
}

function outcomeViewOf(outcome: Outcome): z.output<typeof outcomeView> {
  const { state, reason: why, message, field, rootException, accumulators, at } = outcome;
  return {
    ...{ state, reason: why, reasonClass: REASONS[why].class, message, todo: REASONS[why].todo },
    ...defined({ field, rootException }),
    ...(accumulators === undefined ? {} : { accumulators: { ...accumulators } }),
    at: iso(at),
  };
}

function iso(at: Instant): string {
  return new Date(Math.round(at)).toISOString();
}
