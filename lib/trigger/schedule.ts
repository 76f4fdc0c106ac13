import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import type { Duration, Instant } from '../core/clock.ts';
import { sha256Hex } from '../core/ids.ts';
import { canonicalJson, isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import type { RunRequest } from './request.ts';

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
  const { job, runJob, spec, schedule, scheduledTime: text, timeZone } = parseWith(scheduleInput, event);
  const scheduledTime = Date.parse(text);
  if (scheduledTime - now > EARLY) throw malformed('scheduledTime', `is not yet: ${text}`);
  if (calledBy !== undefined) checkGroup(schedule, calledBy);
  const name = job ?? runJob;
  const payload = sha256Hex(canonicalJson({ job: name, spec, timeZone }));
  return {
    source: { kind: 'schedule', schedule, scheduledTime, ...defined({ timeZone, calledBy }) },
    identity: JSON.stringify(['schedule', schedule, new Date(scheduledTime).toISOString(), payload]),
    ...defined({ spec, job: name }),
  };
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
