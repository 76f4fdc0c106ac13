import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { deploymentIdSchema as deploymentId, jobIdSchema as jobId, runIdSchema as runId } from '../core/id-schemas.ts';
import { isStoredClusterId, type ClusterId } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import { REASON_CODES } from '../core/reasons.ts';
import { classArchive } from '../delivery/classes/archive.ts';
import { snapshotSchema as snapshot } from '../state/snapshot.ts';
import { jobSchema as job, sourceSchema as source } from './job-schema.ts';
import { outcomeSchema as outcome } from './outcome-schema.ts';
import { stopFailed, stopRequest } from './state-schema.ts';
import type { ActiveRun, RunRecord } from './record.ts';

/*
 * Fields that this version does not know are kept, at every level: while a deployment is upgraded, functions of both
 * versions change the same records.
 */
const instant = z.number();
const reason = z.enum(REASON_CODES);
const clusterId = z.custom<ClusterId>(isStoredClusterId, 'must be a cluster id');

const attempt = z.looseObject({
  number: z.int().positive(),
  clusterId,
  jobId,
  launchedAt: instant,
  restoredFrom: snapshot.exactOptional(),
  snapshot: snapshot.exactOptional(),
  fixedVertices: z.array(z.string()).exactOptional(),
  beganAgain: z.literal(true).exactOptional(),
  goesOn: z.literal(true).exactOptional(),
  createdAt: instant.exactOptional(),
  runningAt: instant.exactOptional(),
  jobManager: z.looseObject({ podUid: z.string(), restartCount: z.number() }).exactOptional(),
  runtime: z
    .looseObject({
      jobId: z.string(),
      type: z.enum(['BATCH', 'STREAMING']).exactOptional(),
      checkpointInterval: z.number().exactOptional(),
    })
    .exactOptional(),
  jobsEndedAt: instant.exactOptional(),
  mainReturnedAt: instant.exactOptional(),
  jobFinished: z.boolean().exactOptional(),
  deploymentUid: z.string().exactOptional(),
  submission: z
    .looseObject({ by: z.string(), at: instant, answeredAt: instant.exactOptional(), highAvailability: z.boolean() })
    .exactOptional(),
  startRevokedAt: instant.exactOptional(),
  imageDigest: z.string().exactOptional(),
  fastStart: z
    .looseObject({
      archive: classArchive.exactOptional(),
      jobManager: z.array(z.string()),
      taskManager: z.array(z.string()),
    })
    .exactOptional(),
  renewAt: instant.exactOptional(),
  abortOutcome: outcome.exactOptional(),
  outcome: outcome.exactOptional(),
  remedy: z.array(z.looseObject({ key: z.string(), from: z.string(), to: z.string() })).exactOptional(),
  gate: z.looseObject({ since: instant.exactOptional(), before: z.number(), message: z.string() }).exactOptional(),
  capacityWaits: z.int().positive().exactOptional(),
  artifacts: z.array(z.string()).exactOptional(),
  logsKept: z.record(z.string(), instant).exactOptional(),
  sampled: z.looseObject({ count: z.int(), at: instant }).exactOptional(),
  archive: z
    .looseObject({ jobs: z.array(z.string()), draftedAt: instant.exactOptional(), endedAt: instant.exactOptional() })
    .exactOptional(),
  removalVerifiedAt: instant.exactOptional(),
});

const event = z.looseObject({
  sequence: z.int().positive(),
  type: z.enum(['accepted', 'started', 'attempt-failed', 'completed']),
  time: instant,
  attempt: z.int().positive().exactOptional(),
  publishedAt: instant.exactOptional(),
});

const base = {
  version: z.literal(1),
  runId,
  tenant: z.string().exactOptional(),
  source,
  fingerprint: z.string(),
  name: z.string(),
  createdAt: instant,
  updatedAt: instant,
  events: z.array(event),
  step: z.looseObject({ number: z.int().nonnegative(), dueAt: instant }),
  unreachableSince: instant.exactOptional(),
  stepError: z.looseObject({ since: instant, count: z.number(), reason, message: z.string() }).exactOptional(),
  waiting: z.looseObject({ reason, message: z.string(), since: instant, until: instant }).exactOptional(),
  cancelRequested: z.looseObject({ at: instant, by: z.string(), reason }).exactOptional(),
  keepUntil: instant.exactOptional(),
  asked: z.looseObject({ spec: z.unknown().exactOptional(), job: z.string().exactOptional() }).exactOptional(),
  tag: z.string().exactOptional(),
  report: z.enum(['kept', 'lost']).exactOptional(),
  callbacks: z
    .array(
      z.union([
        z.looseObject({ id: z.string(), taskToken: z.string(), heartbeatAt: instant.exactOptional() }),
        z.looseObject({ id: z.string(), settledAt: instant }),
      ]),
    )
    .exactOptional(),
  again: z.looseObject({ of: runId, exactly: z.boolean() }).exactOptional(),
  deployment: z.looseObject({ id: deploymentId, generation: z.int().positive() }).exactOptional(),
  startFrom: snapshot.exactOptional(),
  stopRequested: stopRequest.exactOptional(),
  stopTries: z.int().positive().exactOptional(),
  stopFailed: stopFailed.exactOptional(),
  stateUnknown: z.looseObject({ message: z.string() }).exactOptional(),
  prepared: z
    .looseObject({
      jarId: z.string().exactOptional(),
      operators: z
        .looseObject({ ids: z.array(z.string()), withoutUid: z.array(z.string()), isComplete: z.boolean() })
        .exactOptional(),
      readyAt: instant.exactOptional(),
      permittedAt: instant.exactOptional(),
    })
    .exactOptional(),
};
const noOutcome = z.never().exactOptional();
/** By its state a record has what the next step takes for granted. */
const activeRun = z.looseObject({
  ...base,
  state: z.enum(['launching', 'starting', 'running']),
  job,
  attempts: z.tuple([attempt], attempt),
  outcome: noOutcome,
});

/** A run that has an attempt and no outcome. */
export const activeRunSchema = activeRun satisfies z.ZodType<ActiveRun>;

export const runRecordSchema = z.discriminatedUnion('state', [
  z.looseObject({
    ...base,
    state: z.enum(['accepted', 'waiting']),
    job,
    attempts: z.array(attempt),
    outcome: noOutcome,
  }),
  activeRun,
  z
    .looseObject({
      ...base,
      state: z.enum(['ended', 'cleaning', 'closed']),
      job: job.exactOptional(),
      attempts: z.array(attempt),
      outcome,
    })
    .refine((run) => run.job !== undefined || run.attempts.length === 0, {
      path: ['job'],
      error: 'is missing, and the run has attempts',
    }),
]) satisfies z.ZodType<RunRecord>;

/** @throws DispatchError `Internal` for a record of a later version, or one that is damaged, naming the field. */
export function parseRecord(text: string): RunRecord {
  const value = parseJson(text);
  const version = isRecord(value) ? value['version'] : undefined;
  if (typeof version === 'number' && version > 1) {
    const message = `the run record has version ${version}; this deployment reads version 1: deploy the newer one again`;
    throw new DispatchError('Internal', message, { field: 'version' });
  }
  const parsed = runRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'record';
  const name = isRecord(value) && typeof value['runId'] === 'string' ? ` ${value['runId']}` : '';
  throw new DispatchError('Internal', `run record${name} is damaged: ${field}: ${issue?.message ?? 'invalid'}`, {
    field,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DispatchError('Internal', 'the run record is no JSON', { field: 'record', cause });
  }
}
