import {
  GetScheduleCommand,
  ListSchedulesCommand,
  type GetScheduleCommandOutput,
  type SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import type { Times } from '../../job/calendar/firings.ts';
import type { Scheduled } from './scheduled.ts';

/** The schedules of a group. @throws DispatchError as `fromAwsError` */
export async function readSchedules(scheduler: SchedulerClient, group: string): Promise<readonly Scheduled[]> {
  const found: Scheduled[] = [];
  for (let token: string | undefined, more = true; more;) {
    const input = { GroupName: group, ...defined({ NextToken: token }) };
    const page = await asked('scheduler:ListSchedules', group, scheduler.send(new ListSchedulesCommand(input)));
    for (const { Name = '' } of page.Schedules ?? []) {
      const one = scheduler.send(new GetScheduleCommand({ Name, GroupName: group }));
      found.push(scheduledOf(await asked('scheduler:GetSchedule', `${group}/${Name}`, one)));
    }
    token = page.NextToken;
    more = token !== undefined;
  }
  return found;
}

function scheduledOf(one: GetScheduleCommandOutput): Scheduled {
  const { Name = '', Arn = '', State, CreationDate, Target } = one;
  return {
    ...{ name: Name, arn: Arn, times: timesOf(one), input: Target?.Input ?? '' },
    state: State === 'DISABLED' ? 'suspended' : 'active',
    ...defined({ createdAt: CreationDate?.getTime() }),
  };
}

/** When it fires. */
export function timesOf({
  ScheduleExpression = '',
  ScheduleExpressionTimezone: timeZone = 'UTC',
  StartDate,
}: GetScheduleCommandOutput): Times {
  return { expression: ScheduleExpression, timeZone, ...defined({ startsAt: StartDate?.getTime() }) };
}

async function asked<T>(action: string, resource: string, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw fromAwsError(error, { action, resource });
  });
}
