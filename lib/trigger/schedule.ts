import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { parseDuration } from '../core/duration.ts';
import { DispatchError } from '../core/errors.ts';
import type { Duration, Instant } from '../core/clock.ts';
import { sha256Hex } from '../core/ids.ts';
import { canonicalJson, isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import type { RunRequest, Tick } from './request.ts';

const scheduleInput = z
  .strictObject({
    /** A stored job's name. */
    job: z.string().min(1).max(100).optional(),
    runJob: z.string().min(1).max(100).optional(),
    /** What differs from the stored job, or a whole spec. */
    spec: z.record(z.string(), z.unknown()).optional(),
    /** `<aws.scheduler.scheduled-time>` */
    scheduledTime: z.iso.datetime({ offset: true }),
    /** `<aws.scheduler.schedule-arn>` */
    schedule: z.string().min(1),
    executionId: z.string().optional(),
    attemptNumber: z.union([z.string(), z.number()]).optional(),
    /** IANA name; UTC when absent. */
    timeZone: z.string().min(1).optional(),
    /** `30m`: a firing that comes later than that is skipped. */
    startingDeadline: z.string().optional(),
  })
  .refine(
    (input) => input.job !== undefined || input.runJob !== undefined || input.spec !== undefined,
    'must have job or spec',
  );

/** What AWS says of a call, whatever the call says. */
export interface ScheduleCall {
  readonly now: Instant;
  /** The alias of the function that was called. */
  readonly calledBy?: string;
}

/** Clocks differ by less. A firing of a later time would make the schedule's own one a repetition. */
const EARLY: Duration = 5 * 60_000;

/**
 * The request of one firing of an EventBridge schedule, from the input that the schedule was given. The schedule and its
 * time are text of the caller. So the payload is part of what it is: a call that says another's name is not taken for it.
 * @throws DispatchError `MalformedRequest`, `InvalidSpec`
 */
export function parseScheduleEvent(event: unknown, { now, calledBy }: ScheduleCall): RunRequest {
  if (!isRecord(event)) throw new DispatchError('MalformedRequest', "the schedule's input must be a JSON object");
  for (const field of ['scheduledTime', 'schedule']) {
    const value = event[field];
    if (typeof value !== 'string' || !value.startsWith('<')) continue;
    throw malformed(field, `was not filled in by EventBridge Scheduler: ${value}`);
  }
  const { job, runJob, spec, schedule, scheduledTime: text, timeZone, ...more } = parseWith(scheduleInput, event);
  const scheduledTime = Date.parse(text);
  refuseEarly(scheduledTime, now);
  if (calledBy !== undefined) checkGroup(schedule, calledBy);
  const name = job ?? runJob;
  return {
    source: { kind: 'schedule', schedule, scheduledTime, ...defined({ timeZone, calledBy }) },
    identity: tickIdentity({ schedule, scheduledTime, ...defined({ timeZone }) }, defined({ job: name, spec })),
    ...defined({ spec, job: name, startingDeadline: deadlineIn(more.startingDeadline) }),
  };
}

function deadlineIn(text: string | undefined): Duration | undefined {
  const deadline = text === undefined ? undefined : parseDuration(text);
  if (text === undefined || deadline !== undefined) return deadline;
  throw malformed('startingDeadline', `'${text}' must be a duration such as 30m or 2h`);
}

/** Why a firing comes too late to be of use; undefined while it does not. */
export function lateness({ source, startingDeadline }: RunRequest, now: Instant): string | undefined {
  if (source.kind !== 'schedule' || startingDeadline === undefined) return undefined;
  const late = now - source.scheduledTime;
  if (late <= startingDeadline) return undefined;
  const [came, limit] = [late, startingDeadline].map((ms) => Math.round(ms / 1000));
  return `the firing of ${new Date(source.scheduledTime).toISOString()} came ${came ?? 0} s late, and startingDeadline is ${limit ?? 0} s`;
}

/** What makes a firing itself, whether the schedule or a message asks for it: then it is one run. */
export function tickIdentity(
  { schedule, scheduledTime, timeZone }: Tick,
  payload: { readonly job?: string; readonly spec?: unknown },
): string {
  const sum = sha256Hex(canonicalJson({ ...payload, timeZone }));
  return JSON.stringify(['schedule', schedule, new Date(scheduledTime).toISOString(), sum]);
}

/** @throws DispatchError `MalformedRequest` */
export function refuseEarly(scheduledTime: Instant, now: Instant): void {
  if (scheduledTime - now <= EARLY) return;
  throw malformed('scheduledTime', `is not yet: ${new Date(scheduledTime).toISOString()}`);
}

/** `arn:aws:scheduler:<region>:<account>:schedule/<group>/<name>` */
function checkGroup(schedule: string, calledBy: string): void {
  const [, group] = /^arn:[^:]+:scheduler:[^:]*:[^:]*:schedule\/([^/]+)\/[^/]+$/.exec(schedule) ?? [];
  if (group !== calledBy)
    throw malformed('schedule', `is not of the group ${calledBy}, by which it calls: ${schedule}`);
}

function malformed(field: string, what: string): DispatchError {
  return new DispatchError('MalformedRequest', `${field} ${what}`, { field });
}
