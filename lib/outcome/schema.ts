import * as z from 'zod';
import { REASON_CODES } from '../core/reasons.ts';

/** Version 1 of the public events. Fields may be added; none is removed or changes its meaning within a version. */
const EVENT_TYPES = [
  'io.flink-dispatch.run.accepted.v1',
  'io.flink-dispatch.run.started.v1',
  'io.flink-dispatch.run.attempt-failed.v1',
  'io.flink-dispatch.run.completed.v1',
] as const;

const EVENT_STATES = [
  'accepted',
  'started',
  'attempt-failed',
  'succeeded',
  'failed',
  'canceled',
  'rejected',
  'skipped',
  'unknown',
] as const;

const time = z.iso.datetime().describe('UTC, milliseconds');
const milliseconds = z.int().nonnegative();

export const requestSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('jar-upload'),
    bucket: z.string(),
    key: z.string().describe('Decoded'),
    versionId: z.string().exactOptional(),
    eTag: z.string().exactOptional(),
  }),
  z.object({
    kind: z.literal('message'),
    queueArn: z.string(),
    messageId: z.string(),
    idempotencyKey: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('schedule'), schedule: z.string(), scheduledTime: time }),
  z.object({
    kind: z.literal('http'),
    caller: z.string().describe('The ARN of a role or user, or the subject and the issuer of a token'),
    idempotencyKey: z.string().exactOptional(),
    event: z
      .object({ id: z.string(), source: z.string(), type: z.string(), subject: z.string().exactOptional() })
      .exactOptional()
      .describe('The CloudEvent that was delivered'),
  }),
]);

const evidence = z.object({
  prefix: z.string().describe('s3:// prefix of all that was kept of the run'),
  findings: z.array(z.string()).describe('What the verdict rests on'),
  items: z.array(z.object({ attempt: z.int().positive(), name: z.string(), uri: z.string() })),
});

const job = z.object({
  id: z.string(),
  name: z.string().exactOptional(),
  state: z.string().describe("Flink's own word: FINISHED, FAILED, CANCELED, or where it stood at the end"),
  startedAt: time.exactOptional(),
  duration: milliseconds.exactOptional().describe('Milliseconds that Flink counted'),
  accumulators: z.record(z.string(), z.string()).exactOptional().describe('Where the application had several jobs'),
});

const snapshot = z.object({
  kind: z.enum(['savepoint', 'checkpoint']),
  path: z.string().describe('As Flink names it: what holds its _metadata'),
  format: z.enum(['CANONICAL', 'NATIVE']).exactOptional(),
  checkpointId: z.number().exactOptional().describe("Flink's number of it, in order among those of one job"),
  run: z.string().exactOptional().describe('The run whose job took it'),
  at: time.exactOptional().describe('When it was complete'),
  bytes: z.number().exactOptional(),
});

const data = z.object({
  runId: z.string(),
  tenant: z.string().exactOptional().describe('Whose run it is; absent in a deployment without tenants'),
  name: z.string().describe("The job's name"),
  sequence: z.int().positive().describe('From 1, without gaps, in the order of what happened to the run'),
  state: z.enum(EVENT_STATES).describe('What happened; the last six are ends, and a run has exactly one of them'),
  reason: z.enum(REASON_CODES).exactOptional().describe('Of an end or a failed attempt'),
  reasonClass: z.enum(['none', 'user', 'infrastructure', 'capacity', 'internal']).exactOptional(),
  message: z.string().exactOptional().describe('The cause in one sentence'),
  field: z.string().exactOptional().describe('The input field at fault'),
  todo: z.string().exactOptional().describe('What to do about it'),
  rootException: z.string().exactOptional().describe("The deepest cause of Flink's chain of exceptions"),
  stackTrace: z.string().exactOptional(),
  accumulators: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe("Of the application's only job; of several each has its own"),
  jobs: z
    .array(job)
    .exactOptional()
    .describe('Of an end: the jobs of the application, in the order in which they began; at most 40'),
  truncated: z.array(z.string()).exactOptional().describe('Names of the fields that were cut to the size limit'),
  flinkState: z
    .string()
    .exactOptional()
    .describe("Flink's own word for the end of the application: FINISHED, FAILED, CANCELED"),
  createdAt: time.describe('When the request was accepted'),
  startedAt: time.exactOptional().describe('When the job of this attempt began to run'),
  endedAt: time.exactOptional().describe('When the attempt or the run ended'),
  duration: milliseconds.exactOptional().describe('Milliseconds from acceptance to the end of the attempt or run'),
  jobDuration: milliseconds
    .exactOptional()
    .describe('Milliseconds that Flink counted for the job, where there was one alone'),
  attempt: z.int().positive().exactOptional().describe('The attempt that the event is about; absent before the first'),
  target: z.string().exactOptional(),
  namespace: z.string().exactOptional(),
  clusterId: z.string().exactOptional(),
  jobId: z.string().exactOptional().describe('Of the first job; absent while none was seen'),
  restoredFrom: snapshot.exactOptional().describe('What the job of this attempt started from'),
  remedies: z
    .array(
      z.object({
        attempt: z.int().positive().describe('The attempt that ran out of memory'),
        option: z.string().describe('The Flink option of which the attempts after it have more'),
        from: z.string(),
        to: z.string(),
      }),
    )
    .exactOptional()
    .describe('By retry.memory: with these sizes the spec would have begun as the last attempt did'),
  snapshot: snapshot
    .exactOptional()
    .describe('Of an end: the newest complete state that it left, as far as it was known then'),
  fastStart: z
    .object({
      archive: z.string().exactOptional().describe('SHA-256 of the class archive that its pods were given'),
      jobManager: z.array(z.string()).describe('Flags of the JVM'),
      taskManager: z.array(z.string()).describe('Flags of the JVM'),
    })
    .exactOptional()
    .describe('Of a job with fastStart: what its JVMs were started with beside its own options'),
  flinkVersion: z.string().exactOptional(),
  image: z.string().exactOptional(),
  jar: z.string().exactOptional(),
  request: requestSchema,
  evidence: evidence.exactOptional(),
  report: z
    .string()
    .exactOptional()
    .describe('Of an end: s3:// URI of a page with all of this, which needs neither a network nor a script'),
  left: z
    .array(z.string())
    .exactOptional()
    .describe('Storage and ConfigMaps of high availability, and checkpoints, that no clean-up removes'),
  record: z.string().describe('s3:// URI of the run record'),
});

/** A CloudEvents 1.0 event in structured JSON form. */
export const lifecycleEventSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().describe('<runId>.<sequence>: equal for all deliveries of the same event'),
  source: z.string().describe('/flink-dispatch/<stage>'),
  type: z.enum(EVENT_TYPES),
  subject: z.string().describe('The run id'),
  time,
  datacontenttype: z.literal('application/json'),
  data,
});

export type LifecycleEvent = z.infer<typeof lifecycleEventSchema>;
export type LifecycleEventData = LifecycleEvent['data'];

/** What docs/schemas/run-event.v1.json holds. Consumers must accept fields that they do not know. */
export function eventJsonSchema(): object {
  const schema = z.toJSONSchema(lifecycleEventSchema, { io: 'input', target: 'draft-7' });
  return { $id: 'urn:flink-dispatch:run-event:v1', title: 'flink-dispatch run event, version 1', ...schema };
}
