import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import { parseListText, parseObjectText } from '../core/yaml.ts';
import type { Caller, RunRequest } from './request.ts';

const name = z.string().min(1).max(2048);

/** Attributes of CloudEvents 1.0 that are read; others are left alone. */
const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: name,
  source: name,
  type: name,
  subject: name.optional(),
  data: z.unknown(),
});

export type CloudEvent = z.output<typeof cloudEvent>;

export interface EventsCall {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** More in one call than a function has time for. */
const MOST = 100;
const JSON_MEDIA = /^application\/(?:[\w.-]+\+)?json$/;

/**
 * The events of one call, in the three modes of the CloudEvents HTTP binding: structured, batched and binary.
 * @throws DispatchError `MalformedRequest`
 */
export function parseEvents({ headers, body }: EventsCall): readonly CloudEvent[] {
  const [media = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  switch (media.trim()) {
    case 'application/cloudevents+json':
      return [eventOf(parseObjectText(body, 'the event'))];
    case 'application/cloudevents-batch+json':
      return batchOf(body);
    default:
      if (headers['ce-specversion'] !== undefined) return [binary(headers, media.trim(), body)];
      throw malformed(
        `'${media.trim().slice(0, 100)}' must be application/cloudevents+json, application/cloudevents-batch+json, or beside ce- headers`,
        'content-type',
      );
  }
}

function batchOf(body: string): readonly CloudEvent[] {
  const events = parseListText(body, 'the batch');
  if (events.length > MOST) throw malformed(`the batch has ${events.length} events, at most ${MOST} are taken at once`);
  return events.map((event, at) => eventOf(event, `[${at}]`));
}

function binary(headers: EventsCall['headers'], media: string, body: string): CloudEvent {
  const attributes = Object.entries(headers).flatMap(([key, value]) =>
    key.startsWith('ce-') && value !== undefined ? [[key.slice(3), decoded(value, key)] as const] : [],
  );
  const data = JSON_MEDIA.test(media) ? parseObjectText(body, 'the data of the event') : undefined;
  return eventOf({ ...Object.fromEntries(attributes), data });
}

/** Header values are percent-encoded (HTTP protocol binding, 3.1.3.2). */
function decoded(value: string, field: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw malformed(`${field} must be percent-encoded: '${value.slice(0, 100)}'`, field);
  }
}

function eventOf(value: unknown, prefix = ''): CloudEvent {
  return parseWith(cloudEvent, value, prefix, 'MalformedRequest');
}

/**
 * What an event asks for. An event is known by its source and its id, so that one which comes again is the same request.
 * @throws DispatchError `InvalidSpec` for an argument that the event lacks
 */
export function requestOfEvent(
  event: CloudEvent,
  { runJob, args }: { readonly runJob: string; readonly args?: readonly string[] | undefined },
  call: { readonly requestId: string; readonly caller: Caller },
): RunRequest {
  const { id, source, type, subject } = event;
  const { requestId, caller } = call;
  return {
    source: { kind: 'http', requestId, caller, event: { id, source, type, ...defined({ subject }) } },
    identity: JSON.stringify(['event', source, id]),
    job: runJob,
    ...(args === undefined ? {} : { spec: { job: { args: args.map((arg) => valueOf(arg, event)) } } }),
  };
}

const REFERENCE = /^\$\.[\w-]+(?:\.[\w-]+)*$/;

/** A whole argument is put in, never a part of one: nothing in an event can become another argument. */
function valueOf(arg: string, event: CloudEvent): string {
  if (!REFERENCE.test(arg)) return arg;
  let value: unknown = event;
  for (const part of arg.slice(2).split('.')) {
    value = isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new DispatchError('InvalidSpec', `${arg} is no text, number or boolean of the event`, { field: arg.slice(2) });
}

function malformed(message: string, field?: string): DispatchError {
  return new DispatchError('MalformedRequest', message, defined({ field }));
}
