import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { deploymentIdSchema as id, runIdSchema as runId } from '../core/id-schemas.ts';
import { isRecord } from '../core/json.ts';
import { REASON_CODES } from '../core/reasons.ts';
import type { ResolvedJob, StatePlan } from '../job/job.ts';
import { jobSchema, sourceSchema } from '../run/job-schema.ts';
import { statePlan } from '../run/state-schema.ts';
import { snapshotSchema as snapshot } from '../state/snapshot.ts';
import { loadSchema } from './scale/load-schema.ts';
import { stateCheckSchema } from './check/state-check-schema.ts';
import { deploymentEvent as event } from './event.ts';
import { DEPLOYMENT_STATES, type DeploymentRecord, type DeploymentRequest } from './record.ts';

const instant = z.number();
const reason = z.enum(REASON_CODES);
const format = z.enum(['CANONICAL', 'NATIVE']);
const nonces = z.looseObject({
  restart: z.number().exactOptional(),
  savepointTrigger: z.number().exactOptional(),
  checkpointTrigger: z.number().exactOptional(),
  savepointRedeploy: z.number().exactOptional(),
});

const wish = z.looseObject({
  state: z.enum(['running', 'suspended', 'deleted']),
  nonces,
  initialSavepointPath: z.string().exactOptional(),
  purge: z.boolean().exactOptional(),
});

const scale = z.looseObject({
  parallelism: z.number(),
  vertices: z.record(z.string(), z.number()).exactOptional(),
  of: z.string(),
  inPlace: z.boolean(),
});

const generation = z.looseObject({
  number: z.int().positive(),
  requestId: runId,
  job: z.string(),
  jobIn: runId.exactOptional(),
  scale: scale.exactOptional(),
  program: z.string(),
  flinkVersion: z.string(),
  wish,
  plan: statePlan,
  notify: z.array(z.string()),
  at: instant,
  by: z.string(),
  superseded: z.boolean().exactOptional(),
  rejected: z.looseObject({ at: instant, reason, message: z.string() }).exactOptional(),
  rollbackOf: z.int().positive().exactOptional(),
  autoscaledAt: instant.exactOptional(),
});

const stopWhy = z.enum(['upgrade', 'restart', 'redeploy', 'suspend', 'delete', 'unstable']);
const stopFacts = { why: stopWhy, at: instant };
const stop = z.discriminatedUnion('mode', [
  z.looseObject({
    ...stopFacts,
    mode: z.literal('savepoint'),
    format,
    until: instant,
    fallback: z.enum(['none', 'last-state']),
  }),
  z.looseObject({ ...stopFacts, mode: z.literal('last-state') }),
  z.looseObject({ ...stopFacts, mode: z.literal('cancel') }),
]);

const run = z.looseObject({
  id: runId,
  generation: z.int().positive(),
  why: z.enum(['create', 'upgrade', 'restart', 'resume', 'redeploy', 'rollback']),
  startFrom: snapshot.exactOptional(),
  at: instant,
  runningAt: instant.exactOptional(),
  stop: stop.exactOptional(),
  checkpoints: z.looseObject({ at: instant, own: z.boolean(), newestAt: instant.exactOptional() }).exactOptional(),
  health: z
    .looseObject({
      at: instant,
      tasksRun: z.boolean(),
      restarts: z.number(),
      failedCheckpoints: z.number(),
      takesCheckpoint: z.boolean(),
    })
    .exactOptional(),
  unstable: z.looseObject({ at: instant, message: z.string(), restarts: z.number() }).exactOptional(),
  rescale: z
    .looseObject({ generation: z.int().positive(), at: instant, askedAt: instant.exactOptional(), until: instant })
    .exactOptional(),
  rescales: z.int().positive().exactOptional(),
  load: loadSchema.exactOptional(),
  lateTold: z.boolean().exactOptional(),
  prepared: z.literal(true).exactOptional(),
  adopted: z.looseObject({ at: instant.exactOptional() }).exactOptional(),
});

const next = z.looseObject({
  id: runId,
  generation: z.int().positive(),
  at: instant,
  until: instant,
  checked: stateCheckSchema.exactOptional(),
  dropped: z.literal(true).exactOptional(),
});

const kept = z.looseObject({
  ordinal: z.int().positive(),
  snapshot,
  why: z.enum([...stopWhy.options, 'end', 'nonce', 'periodic']),
  at: instant,
  generation: z.int().positive(),
  restoredBy: runId.exactOptional(),
  pinned: z.boolean().exactOptional(),
  deletingAt: instant.exactOptional(),
});

const request = z.looseObject({
  ordinal: z.int().positive(),
  kind: z.enum(['savepoint', 'checkpoint']),
  why: z.enum(['nonce', 'periodic']),
  run: runId,
  triggerId: z.string(),
  directory: z.string().exactOptional(),
  format,
  at: instant,
  until: instant,
});

const count = z.int().nonnegative();

/** A deployment's record; fields that this version does not know are kept. */
const deploymentRecordSchema = z.looseObject({
  version: z.literal(1),
  id,
  tenant: z.string().exactOptional(),
  target: z.string(),
  namespace: z.string(),
  name: z.string(),
  state: z.enum(DEPLOYMENT_STATES),
  createdAt: instant,
  updatedAt: instant,
  generations: z.array(generation),
  wanted: z.int().positive(),
  reached: count,
  upload: z.looseObject({ bucket: z.string(), key: z.string(), sequencer: z.string() }).exactOptional(),
  run: run.exactOptional(),
  next: next.exactOptional(),
  leaving: z.looseObject({ id: runId, lateTold: z.literal(true).exactOptional() }).exactOptional(),
  guessed: z.literal(true).exactOptional(),
  unprepared: z.int().positive().exactOptional(),
  unscaled: z.looseObject({ generation: z.int().positive(), message: z.string() }).exactOptional(),
  runs: count,
  last: z.looseObject({ id: runId, generation: z.int().positive() }).exactOptional(),
  newest: snapshot.exactOptional(),
  unknown: z.string().exactOptional(),
  finishedAt: instant.exactOptional(),
  settled: z
    .looseObject({
      generation: z.int().positive(),
      reason,
      message: z.string(),
      choices: z.array(z.string()),
      at: instant,
    })
    .exactOptional(),
  stable: z
    .looseObject({ generation: z.int().positive(), at: instant, left: snapshot.exactOptional() })
    .exactOptional(),
  done: nonces,
  snapshots: z.array(kept),
  snapshotOrdinal: count,
  request: request.exactOptional(),
  requests: count,
  periodicAt: instant.exactOptional(),
  leftovers: z.array(z.looseObject({ directory: z.string(), run: runId })),
  events: z.array(event),
  sequence: count,
  dueAt: instant.exactOptional(),
  jarKeptAt: instant,
  stepError: z.looseObject({ since: instant, count: z.number(), reason, message: z.string() }).exactOptional(),
}) satisfies z.ZodType<DeploymentRecord>;

const streamJob = jobSchema.transform((job: ResolvedJob, context): ResolvedJob & { readonly state: StatePlan } => {
  const { state } = job;
  if (state !== undefined) return { ...job, state };
  context.addIssue({ code: 'custom', path: ['state'], message: 'is missing' });
  return z.NEVER;
});

const deploymentRequestSchema = z.looseObject({
  version: z.literal(1),
  deployment: id,
  requestId: runId,
  tenant: z.string().exactOptional(),
  fingerprint: z.string(),
  job: streamJob,
  wish,
  source: sourceSchema,
  by: z.string(),
  at: instant,
  sameJob: z.string().exactOptional(),
  unscaled: z.string().exactOptional(),
  rejects: z.int().positive().exactOptional(),
}) satisfies z.ZodType<DeploymentRequest>;

/** @throws DispatchError `Internal` for a record of a later version, or one that is damaged, naming the field. */
export function parseDeployment(text: string): DeploymentRecord {
  return parseStored(deploymentRecordSchema, text, 'deployment record');
}

/** @throws DispatchError as `parseDeployment` */
export function parseDeploymentRequest(text: string): DeploymentRequest {
  return parseStored(deploymentRequestSchema, text, 'deployment request');
}

function parseStored<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const value = parseJson(text, what);
  const version = isRecord(value) ? value['version'] : undefined;
  if (typeof version === 'number' && version > 1) {
    const message = `the ${what} has version ${version}; this deployment reads version 1: deploy the newer one again`;
    throw new DispatchError('Internal', message, { field: 'version' });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'record';
  throw new DispatchError('Internal', `the ${what} is damaged: ${field}: ${issue?.message ?? 'invalid'}`, { field });
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DispatchError('Internal', `the ${what} is no JSON`, { field: 'record', cause });
  }
}
