import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { isJobId, isRunId, type ClusterId, type JobId, type RunId } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import { REASON_CODES } from '../core/reasons.ts';
import { RUN_STATES, type RunRecord } from './record.ts';

/*
 * Fields that this version does not know are kept, at every level: while a deployment is upgraded, functions of both
 * versions change the same records.
 */
const instant = z.number();
const texts = z.record(z.string(), z.string());
const reason = z.enum(REASON_CODES);
const runId = z.custom<RunId>((value) => typeof value === 'string' && isRunId(value), 'must be a run id');
const jobId = z.custom<JobId>((value) => typeof value === 'string' && isJobId(value), 'must be a Flink job id');
// checked when it was made; a stricter rule of a later version must not make a stored run unreadable
const clusterId = z.custom<ClusterId>((value) => typeof value === 'string' && value !== '', 'must be a cluster id');
const podTemplate = z.custom<V1PodTemplateSpec>(isRecord, 'must be a pod template');

const podTemplates = z.looseObject({
  common: podTemplate.exactOptional(),
  jobManager: podTemplate.exactOptional(),
  taskManager: podTemplate.exactOptional(),
});

const source = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('jar-upload'),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string().exactOptional(),
    sequencer: z.string().exactOptional(),
    eTag: z.string().exactOptional(),
    size: z.number().exactOptional(),
    eventTime: instant,
  }),
  z.looseObject({
    kind: z.literal('message'),
    queueArn: z.string(),
    messageId: z.string(),
    idempotencyKey: z.string().exactOptional(),
  }),
  z.looseObject({ kind: z.literal('schedule'), schedule: z.string(), scheduledTime: instant }),
]);

const jar = z.looseObject({
  uri: z.string(),
  s3: z
    .looseObject({
      bucket: z.string(),
      key: z.string(),
      versionId: z.string().exactOptional(),
      eTag: z.string().exactOptional(),
    })
    .exactOptional(),
  sha256: z.string().exactOptional(),
  pinned: z.looseObject({ bucket: z.string(), key: z.string(), sha256: z.string(), size: z.number() }).exactOptional(),
});

const job = z.looseObject({
  name: z.string(),
  mode: z.enum(['application', 'session', 'standalone']),
  taskManagers: z.number().exactOptional(),
  session: z
    .looseObject({
      clusterId: z.string(),
      pool: z
        .looseObject({
          name: z.string(),
          idleAfter: z.number(),
          flinkVersion: z.string(),
          options: texts,
          podTemplates,
          logConfiguration: texts.exactOptional(),
        })
        .exactOptional(),
    })
    .exactOptional(),
  target: z.string(),
  namespace: z.string(),
  flinkVersion: z.string(),
  options: texts,
  podTemplates,
  jar,
  entryClass: z.string().exactOptional(),
  args: z.array(z.string()),
  kind: z.enum(['batch', 'streaming']),
  deadlines: z.looseObject({ start: z.number(), run: z.number().exactOptional() }),
  retry: z.looseObject({ attempts: z.number(), backoff: z.number() }),
  concurrency: z
    .looseObject({ key: z.string(), policy: z.enum(['allow', 'forbid', 'replace', 'queue']) })
    .exactOptional(),
  afterEnd: z.looseObject({ keepCluster: z.enum(['never', 'on-failure', 'always']), ttl: z.number() }),
  notify: z.array(z.string()),
  logConfiguration: texts.exactOptional(),
  notes: z.array(z.string()).exactOptional(),
});

const outcome = z.looseObject({
  state: z.enum(['succeeded', 'failed', 'canceled', 'rejected', 'unknown']),
  reason,
  message: z.string(),
  field: z.string().exactOptional(),
  rootException: z.string().exactOptional(),
  stackTrace: z.string().exactOptional(),
  accumulators: texts.exactOptional(),
  at: instant,
  jobDuration: z.number().exactOptional(),
  flinkState: z.string().exactOptional(),
  evidence: z.array(z.string()),
});

const attempt = z.looseObject({
  number: z.int().positive(),
  clusterId,
  jobId,
  launchedAt: instant,
  createdAt: instant.exactOptional(),
  runningAt: instant.exactOptional(),
  jobManager: z.looseObject({ podUid: z.string(), restartCount: z.number() }).exactOptional(),
  deploymentUid: z.string().exactOptional(),
  submission: z
    .looseObject({ by: z.string(), at: instant, answeredAt: instant.exactOptional(), highAvailability: z.boolean() })
    .exactOptional(),
  noStartSince: instant.exactOptional(),
  renewAt: instant.exactOptional(),
  givenUp: outcome.exactOptional(),
  outcome: outcome.exactOptional(),
  roomWaits: z.int().positive().exactOptional(),
  artifacts: z.array(z.string()).exactOptional(),
  logsKept: z.record(z.string(), instant).exactOptional(),
  goneAt: instant.exactOptional(),
});

const event = z.looseObject({
  sequence: z.int().positive(),
  type: z.enum(['accepted', 'started', 'attempt-failed', 'completed']),
  time: instant,
  attempt: z.int().positive().exactOptional(),
  publishedAt: instant.exactOptional(),
});

export const runRecordSchema = z.looseObject({
  version: z.literal(1),
  runId,
  state: z.enum(RUN_STATES),
  source,
  fingerprint: z.string(),
  job: job.exactOptional(),
  name: z.string(),
  createdAt: instant,
  updatedAt: instant,
  attempts: z.array(attempt),
  outcome: outcome.exactOptional(),
  events: z.array(event),
  look: z.looseObject({ number: z.int().nonnegative(), dueAt: instant }),
  unreachableSince: instant.exactOptional(),
  trouble: z.looseObject({ since: instant, count: z.number(), reason, message: z.string() }).exactOptional(),
  waiting: z.looseObject({ reason, message: z.string(), since: instant, until: instant }).exactOptional(),
  cancelRequested: z.looseObject({ at: instant, by: z.string(), reason }).exactOptional(),
  keepUntil: instant.exactOptional(),
}) satisfies z.ZodType<RunRecord>;

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
  const issue = parsed.error.issues[0];
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
