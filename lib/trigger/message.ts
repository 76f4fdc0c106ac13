import * as z from 'zod';
import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { sha256Hex } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import { runIdSchema } from '../core/id-schemas.ts';
import { isAgain, MESSAGE_ORDERS, type MessageOrder, type OrderRequest } from './order.ts';
import type { RecordResult } from './record-result.ts';
import type { RunRequest, Tick } from './request.ts';
import { refuseEarly, tickIdentity } from './schedule.ts';
import { jobsAmong } from './several-manifests.ts';
import { bodiesOf, mapSqsRecords, type SqsRecord } from './sqs-event.ts';

export const idempotencyKey = z.string().min(1).max(256);

/** By which runs are listed and canceled together. */
export const tag = z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, 'must be at most 40 letters, digits, dots, _ and -');

/** As Step Functions bounds it. */
const taskToken = z.string().min(1).max(2048);

/** A message that names a stored job, or gives its spec beside an idempotency key. */
export const messageEnvelope = z
  .strictObject({
    /** A stored job's name. */
    runJob: z.string().min(1).max(100).optional(),
    idempotencyKey: idempotencyKey.optional(),
    /** A whole spec, or what differs from the stored job. */
    spec: z.record(z.string(), z.unknown()).optional(),
    /** A firing of a schedule that is asked for by hand. */
    tick: z
      .strictObject({
        /** Its ARN. */
        schedule: z.string().min(1).max(1024),
        scheduledTime: z.iso.datetime({ offset: true }),
        timeZone: z.string().min(1).max(64).optional(),
      })
      .optional(),
    tag: tag.optional(),
    /** Of a task of Step Functions that waits for the end of the run. */
    taskToken: taskToken.optional(),
  })
  .refine((body) => body.runJob !== undefined || body.spec !== undefined, 'must have runJob or spec');

interface Content {
  readonly runJob?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly spec?: Record<string, unknown> | undefined;
  readonly tick?: z.output<typeof messageEnvelope>['tick'];
  readonly tag?: string | undefined;
  readonly taskToken?: string | undefined;
}

/** The word of each order, by which its message is known. */
const ORDERS = MESSAGE_ORDERS.map((kind) => [`${kind}Run`, kind] as const);

const nothing = z.strictObject({});
const keyOfAgain = z.strictObject({ idempotencyKey: idempotencyKey.optional() });
/** As job.parallelism. */
const scale = z.strictObject({ parallelism: z.int().min(1).max(32_768) });

/**
 * Requests of job messages on SQS. A body is a job spec, a FlinkDeployment, or `{ runJob, idempotencyKey, spec }`; or an order
 * to a run that is there, `{ cancelRun }`, `{ stopRun }`, `{ savepointRun }` or `{ scaleRun, parallelism }` with its id; or `{ rerunRun }` or
 * `{ replayRun }` with the id of one that was, and with or without an `idempotencyKey`. Or several FlinkDeployments and
 * FlinkSessionJobs, as documents of YAML.
 */
export function parseMessageEvent(event: unknown, now: Instant): readonly RecordResult[] {
  return mapSqsRecords(event, (record) => {
    const [body, ...others] = bodiesOf(record.body);
    const { messageId } = record;
    if (others.length > 0) return { messageId, requests: requestsOf(record, [body, ...others]) };
    const [word, kind] = ORDERS.find(([known]) => known in body) ?? [];
    if (word === undefined || kind === undefined) return { messageId, requests: [requestOf(record, body, now)] };
    return { messageId, requests: [], orders: [orderOf(record, body, word, kind)] };
  });
}

function orderOf(
  { messageId, eventSourceARN: queueArn }: SqsRecord,
  body: Record<string, unknown>,
  word: string,
  kind: MessageOrder,
): OrderRequest {
  const { [word]: named, ...beside } = body;
  const runId = parseWith(runIdSchema, named, word);
  const source = { kind: 'message', queueArn, messageId } as const;
  if (kind === 'scale') return { source, kind, runId, ...parseWith(scale, beside) };
  if (isAgain(kind)) return { source: { ...source, ...defined(parseWith(keyOfAgain, beside)) }, kind, runId };
  parseWith(nothing, beside);
  return { source, kind, runId };
}

function requestOf(record: SqsRecord, body: Record<string, unknown>, now: Instant): RunRequest {
  refuseEvents(body);
  const content = contentOf(body);
  const { runJob, idempotencyKey: inBody, spec, tag: named, taskToken: token } = content;
  const identityKey = keyOf(record, inBody);
  const { messageId, eventSourceARN: queueArn } = record;
  const tick = tickIn(content, identityKey, now);
  const own = identityKey === undefined ? ['message', messageId] : ['key', runJob ?? nameIn(spec), identityKey];
  const payload = defined({ spec, job: runJob });
  return {
    source: { kind: 'message', queueArn, messageId, ...defined({ idempotencyKey: identityKey, tick }) },
    identity: tick === undefined ? JSON.stringify(['sqs', queueArn, ...own]) : tickIdentity(tick, payload),
    ...payload,
    ...defined({ tag: named, taskToken: token }),
  };
}

/** One for each job of a file of manifests. What is refused is a dead letter of its own: sent again, it starts no other one. */
function requestsOf(record: SqsRecord, documents: readonly Record<string, unknown>[]): readonly RunRequest[] {
  const { messageId, eventSourceARN: queueArn } = record;
  const key = keyOf(record, undefined);
  return jobsAmong(documents).map(({ name, manifest }) => ({
    source: { kind: 'message', queueArn, messageId, ...defined({ idempotencyKey: key }) },
    identity: JSON.stringify([
      'sqs',
      queueArn,
      ...(key === undefined ? ['message', messageId, name] : ['key', name, key]),
    ]),
    spec: manifest,
    body: JSON.stringify(manifest),
  }));
}

/** @throws DispatchError for one that is not yet, or that has a key beside: a firing is one run, whatever asks for it */
function tickIn({ tick }: Content, key: string | undefined, now: Instant): Tick | undefined {
  if (tick === undefined) return undefined;
  const scheduledTime = Date.parse(tick.scheduledTime);
  refuseEarly(scheduledTime, now);
  if (key === undefined) return { ...defined(tick), scheduledTime };
  throw new DispatchError('InvalidSpec', 'idempotencyKey must be left out beside tick, which is a key itself', {
    field: 'idempotencyKey',
  });
}

/** Events that AWS services send, and people point at the queue of job messages. */
function refuseEvents(body: Record<string, unknown>): void {
  const isS3 = body['Event'] === 's3:TestEvent' || body['source'] === 'aws.s3' || Array.isArray(body['Records']);
  if (isS3) {
    const fix = 'send it to the upload queue, or send a job spec here';
    throw new DispatchError('MalformedRequest', `the message is an S3 event, and this queue takes jobs: ${fix}`);
  }
  if (typeof body['detail-type'] !== 'string' || !('detail' in body)) return;
  const fix = "give the rule's target the InputPath $.detail, if detail is a job spec, or an InputTransformer";
  throw new DispatchError('MalformedRequest', `the message is a whole event of EventBridge: ${fix}`, {
    field: 'detail',
  });
}

/** A key is a job's own: two jobs of one queue may have the same. */
function nameIn(spec: Record<string, unknown> | undefined): string {
  const metadata = isRecord(spec?.['metadata']) ? spec['metadata'] : {};
  const name = metadata['name'] ?? spec?.['name'];
  return typeof name === 'string' ? name : '';
}

/** Of a job message, or of the same by HTTP. @throws DispatchError `InvalidSpec` */
export function contentOf(body: Record<string, unknown>): Content {
  if ('kind' in body || 'apiVersion' in body) return { spec: body };
  if ('runJob' in body || 'spec' in body) return parseWith(messageEnvelope, body);
  const { idempotencyKey: given, ...spec } = body;
  if (given === undefined) return { spec };
  return { spec, idempotencyKey: parseWith(idempotencyKey, given, 'idempotencyKey') };
}

/** In this order: the body, the attribute, a FIFO queue's deduplication id. */
function keyOf(record: SqsRecord, inBody: string | undefined): string | undefined {
  const attribute = record.messageAttributes?.['idempotencyKey']?.stringValue;
  if (inBody !== undefined && attribute !== undefined && inBody !== attribute) {
    throw new DispatchError('InvalidSpec', 'idempotencyKey differs between the body and the message attribute', {
      field: 'idempotencyKey',
    });
  }
  const named =
    inBody ?? (attribute === undefined ? undefined : parseWith(idempotencyKey, attribute, 'idempotencyKey'));
  if (named !== undefined) return named;
  const deduplication = record.attributes?.MessageDeduplicationId;
  // A queue that makes the id from the content gives it to tomorrow's equal message, too, which is another request.
  return deduplication === sha256Hex(record.body) ? undefined : deduplication;
}
