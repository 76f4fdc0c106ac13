import type { GetScheduleCommandOutput } from '@aws-sdk/client-scheduler';
import { defined } from '../../../../../lib/core/defined.ts';
import { parseObjectText } from '../../../../../lib/core/yaml.ts';
import type { Times } from '../../../../../lib/job/calendar/firings.ts';
import { UsageError } from '../../flags/usage.ts';

/** What a schedule runs, in the words of a job message. */
export interface ScheduledJob {
  readonly runJob?: string;
  readonly spec?: Record<string, unknown>;
  readonly timeZone?: string;
}

/** When it fires. */
export function timesOf(schedule: GetScheduleCommandOutput): Times {
  const { ScheduleExpression = '', ScheduleExpressionTimezone: timeZone = 'UTC', StartDate } = schedule;
  return { expression: ScheduleExpression, timeZone, ...defined({ startsAt: StartDate?.getTime() }) };
}

/** @throws UsageError for a schedule whose input is none of this product's */
export function jobOf({ Name = '', Target }: GetScheduleCommandOutput): ScheduledJob {
  const { job, runJob = job, spec, timeZone } = parseObjectText(Target?.Input ?? '', `the input of schedule ${Name}`);
  if (typeof runJob !== 'string' && typeof spec !== 'object') {
    throw new UsageError(`schedule ${Name} runs no job: its input has neither job nor spec`);
  }
  return {
    ...(typeof runJob === 'string' ? { runJob } : {}),
    ...(typeof spec === 'object' && spec !== null ? { spec: spec as Record<string, unknown> } : {}),
    ...(typeof timeZone === 'string' ? { timeZone } : {}),
  };
}
