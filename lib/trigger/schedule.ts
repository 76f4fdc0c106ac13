import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
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

/**
 * The request of one firing of an EventBridge schedule, from the input that the schedule was given.
 * @throws DispatchError `MalformedRequest`, `InvalidSpec`
 */
export function parseScheduleEvent(event: unknown): RunRequest {
  if (!isRecord(event)) throw new DispatchError('MalformedRequest', "the schedule's input must be a JSON object");
  for (const field of ['scheduledTime', 'schedule']) {
    const value = event[field];
    if (typeof value !== 'string' || !value.startsWith('<')) continue;
    throw new DispatchError('MalformedRequest', `${field} was not filled in by EventBridge Scheduler: ${value}`, {
      field,
    });
  }
  const { job, runJob, spec, schedule, scheduledTime: text, timeZone } = parseWith(scheduleInput, event);
  const scheduledTime = Date.parse(text);
  const name = job ?? runJob;
  return {
    source: { kind: 'schedule', schedule, scheduledTime, ...(timeZone === undefined ? {} : { timeZone }) },
    identity: JSON.stringify(['schedule', schedule, new Date(scheduledTime).toISOString()]),
    ...(spec === undefined ? {} : { spec }),
    ...(name === undefined ? {} : { job: name }),
  };
}
