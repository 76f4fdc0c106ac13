import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import { parseObjectText } from '../core/yaml.ts';
import { isProgramFile } from './program-file.ts';
import { collect, type RecordResult } from './record-result.ts';
import type { RunRequest, RunSource } from './request.ts';
import { bodyOf, isSqsEvent, mapSqsRecords, recordsOf } from './sqs-event.ts';

const time = z.string().transform((text, context) => {
  const instant = Date.parse(text);
  if (!Number.isNaN(instant)) return instant;
  context.addIssue({ code: 'custom', message: 'must be a time' });
  return z.NEVER;
});

/** S3 event message structure, versions 2.x. */
const notification = z.looseObject({
  eventName: z.string(),
  eventTime: time,
  s3: z.looseObject({
    bucket: z.looseObject({ name: z.string().min(1) }),
    object: z.looseObject({
      key: z.string().min(1),
      size: z.number().optional(),
      eTag: z.string().optional(),
      versionId: z.string().optional(),
      sequencer: z.string().optional(),
    }),
  }),
});

/** EventBridge: detail-type `Object Created` of source `aws.s3`. */
const objectCreated = z.looseObject({
  time,
  detail: z.looseObject({
    bucket: z.looseObject({ name: z.string().min(1) }),
    object: z.looseObject({
      key: z.string().min(1),
      size: z.number().optional(),
      etag: z.string().optional(),
      'version-id': z.string().optional(),
      sequencer: z.string().optional(),
    }),
  }),
});

/**
 * Requests for the programs that an event tells of: an S3 notification or an `Object Created` event of EventBridge, as it is
 * or in SQS messages, also by way of SNS. S3's test events, deletions and objects that are no program ask for nothing.
 */
export function parseUploadEvent(event: unknown): readonly RecordResult[] {
  if (isSqsEvent(event)) {
    return mapSqsRecords(event, ({ messageId, body }) => collect(messageId, partsOf(bodyOf(body)), requestOf));
  }
  const parts = isRecord(event) ? recordsOf(event).flatMap(outOfSns) : [];
  if (parts.length > 0) return parts.map((part, i) => collect(`record-${i}`, [part], requestOf));
  return [collect('event', isRecord(event) ? partsOf(event) : [event], requestOf)];
}

/** Lambda called by SNS itself. What cannot be read stays, so that it is reported. */
function outOfSns(raw: unknown): readonly unknown[] {
  if (!isRecord(raw) || raw['EventSource'] !== 'aws:sns' || !isRecord(raw['Sns'])) return [raw];
  try {
    return partsOf(parseObjectText(String(raw['Sns']['Message']), "the SNS notification's message"));
  } catch {
    return [raw];
  }
}

/** The single events of one body. */
function partsOf(body: Record<string, unknown>): readonly unknown[] {
  if (body['Event'] === 's3:TestEvent') return [];
  return Array.isArray(body['Records']) ? (body['Records'] as unknown[]) : [body];
}

function requestOf(part: unknown): RunRequest | undefined {
  if (isRecord(part) && part['source'] === 'aws.s3') return ofEventBridge(part);
  if (isRecord(part) && part['eventSource'] === 'aws:s3') return ofNotification(part);
  throw new DispatchError(
    'MalformedRequest',
    'this is no S3 event: neither a notification nor an Object Created event of EventBridge',
  );
}

function ofNotification(part: Record<string, unknown>): RunRequest | undefined {
  if (typeof part['eventName'] === 'string' && !part['eventName'].startsWith('ObjectCreated:')) return undefined;
  const { eventTime, s3 } = parseWith(notification, part, '', 'MalformedRequest');
  const { key, size, eTag, versionId, sequencer } = s3.object;
  return toRequest({ bucket: s3.bucket.name, key: decodeKey(key), size, eTag, versionId, sequencer, eventTime });
}

function ofEventBridge(part: Record<string, unknown>): RunRequest | undefined {
  if (part['detail-type'] !== 'Object Created') return undefined;
  const { time: eventTime, detail } = parseWith(objectCreated, part, '', 'MalformedRequest');
  const { key, size, etag: eTag, 'version-id': versionId, sequencer } = detail.object;
  return toRequest({ bucket: detail.bucket.name, key, size, eTag, versionId, sequencer, eventTime });
}

/** Notifications carry keys as a form would: `+` is a space. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw new DispatchError('MalformedRequest', `the key ${key} is not URL-encoded`, { field: 's3.object.key' });
  }
}

type Upload = { readonly [K in keyof UploadSource]: UploadSource[K] | undefined } & Pick<
  UploadSource,
  'bucket' | 'key' | 'eventTime'
>;
type UploadSource = Omit<Extract<RunSource, { kind: 'jar-upload' }>, 'kind'>;

function toRequest(upload: Upload): RunRequest | undefined {
  if (!isProgramFile(upload.key)) return undefined;
  const versionId = upload.versionId === 'null' || upload.versionId === '' ? undefined : upload.versionId;
  const eTag = upload.eTag?.replace(/^"|"$/g, '');
  const source: RunSource = {
    kind: 'jar-upload',
    bucket: upload.bucket,
    key: upload.key,
    eventTime: upload.eventTime,
    ...defined({ versionId, sequencer: upload.sequencer }),
    ...(eTag !== undefined && eTag !== '' && { eTag }),
    ...defined({ size: upload.size }),
  };
  return { source, identity: identityOf(source) };
}

/** A version is one upload; without versioning, content and place in the key's history are. */
function identityOf(source: Extract<RunSource, { kind: 'jar-upload' }>): string {
  const { bucket, key, versionId, eTag, sequencer, eventTime } = source;
  if (versionId !== undefined) return JSON.stringify(['s3', bucket, key, 'version', versionId]);
  const order = sequencer === undefined ? `time ${eventTime}` : sequencer;
  return JSON.stringify(['s3', bucket, key, eTag ?? '', order]);
}

/**
 * True when the event with sequencer `a` came before that with `b`, for one key. Sequencers vary in length: the shorter
 * is filled up with zeros on its right before they are compared (S3 event message structure).
 */
export function isOlder(a: string, b: string): boolean {
  const width = Math.max(a.length, b.length);
  return a.toUpperCase().padEnd(width, '0') < b.toUpperCase().padEnd(width, '0');
}
