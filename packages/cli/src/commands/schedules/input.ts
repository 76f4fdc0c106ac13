import type { GetScheduleCommandOutput } from '@aws-sdk/client-scheduler';
import { scheduledJob, type ScheduledJob } from '../../../../../lib/operate/schedule/scheduled.ts';
import { UsageError } from '../../flags/usage.ts';

/** @throws UsageError for a schedule whose input is none of this product's */
export function jobOf({ Name = '', Target }: GetScheduleCommandOutput): ScheduledJob {
  const job = scheduledJob({ name: Name, input: Target?.Input ?? '' });
  if (job !== undefined) return job;
  throw new UsageError(`schedule ${Name} runs no job: its input has neither job nor spec`);
}
