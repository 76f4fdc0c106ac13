import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  SchedulerClient,
  UpdateScheduleCommand,
  type GetScheduleCommandOutput,
} from '@aws-sdk/client-scheduler';
import { awsCode, fromAwsError } from '../../../../../lib/core/aws-error.ts';
import { describeError } from '../../../../../lib/core/errors.ts';
import type { Instant } from '../../../../../lib/core/clock.ts';
import { defined } from '../../../../../lib/core/defined.ts';
import { isRecord } from '../../../../../lib/core/json.ts';
import { omit } from '../../../../../lib/core/omit.ts';
import { parseObjectText } from '../../../../../lib/core/yaml.ts';
import { parseDuration } from '../../../../../lib/core/duration.ts';
import { parseManifestOrSpec } from '../../../../../lib/job/spec/manifest.ts';
import { formatInstant } from '../../../../../lib/job/spec/zoned-time.ts';
import { parseCron } from '../../../../../lib/job/calendar/cron.ts';
import { nextFirings } from '../../../../../lib/job/calendar/firings.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import { readTextFile } from '../../flags/conf-dir.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { UsageError } from '../../flags/usage.ts';
import { readSchedules, timesOf } from '../../../../../lib/operate/schedule/aws-schedules.ts';
import type { Scheduled } from '../../../../../lib/operate/schedule/scheduled.ts';
import { requirePart } from '../../stack.ts';
import { harmless, printJson, table, type Io } from '../../terminal/io.ts';
import { onlyArgument } from '../../flags/only-argument.ts';

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
/** EventBridge Scheduler tries again for as long: a function that is away for a night misses none. */
const RETRIES = { MaximumEventAgeInSeconds: 21_600, MaximumRetryAttempts: 185 };

interface Group {
  readonly scheduler: SchedulerClient;
  readonly group: string;
}

export async function openGroup(io: Io, parsed: ParsedFlags): Promise<Group> {
  return { scheduler: new SchedulerClient(), group: await requirePart(io, parsed, 'scheduleGroup') };
}

/** The schedules of the installation's group. */
export const list: Execute = async (io, parsed) => {
  const opened = await openGroup(io, parsed);
  const found = (await readSchedules(opened.scheduler, opened.group)).map(summary);
  if (has(parsed, 'json')) printJson(io, found);
  else if (found.length === 0) io.err(`no schedules in the group ${opened.group}\n`);
  else {
    const rows = found.map(({ name, expression, zone, state, job }) => [name, expression, zone, state, job]);
    io.out(harmless(table([['SCHEDULE', 'EXPRESSION', 'ZONE', 'STATE', 'JOB'], ...rows])));
  }
  return 0;
};

/** A schedule whose every firing is one run. */
export const create: Execute = async (io, parsed) => {
  const name = nameIn(parsed, 'schedules create <name> --job <stored job> --cron <expression>');
  const [job, file, zone = 'UTC'] = [valueOf(parsed, 'job'), valueOf(parsed, 'file'), valueOf(parsed, 'zone')];
  if (job === undefined && file === undefined)
    throw new UsageError('what is to run? Give --job <stored job>, or -f spec.yaml');
  const expression = expressionOf(parsed);
  checkZone(zone);
  const spec = file === undefined ? undefined : parseObjectText(readTextFile(file, '-f'), `-f ${file}: the file`);
  if (spec !== undefined) parseManifestOrSpec(spec);
  const startingDeadline = deadlineIn(parsed);
  const { scheduler, group } = await openGroup(io, parsed);
  const when = { scheduledTime: '<aws.scheduler.scheduled-time>', schedule: '<aws.scheduler.schedule-arn>' };
  const target = {
    Arn: await requirePart(io, parsed, 'scheduleTarget'),
    RoleArn: await requirePart(io, parsed, 'scheduleRole'),
    Input: JSON.stringify({
      ...defined({ job, spec: overlapping(spec, parsed), startingDeadline }),
      ...when,
      timeZone: zone,
    }),
    DeadLetterConfig: { Arn: await requirePart(io, parsed, 'scheduleDeadLetters') },
    RetryPolicy: RETRIES,
  };
  const begins = expression.startsWith('rate') ? { StartDate: nextMinute(io.clock.now()) } : {};
  const input = {
    ...begins,
    ...{ Name: name, GroupName: group, ScheduleExpression: expression, ScheduleExpressionTimezone: zone },
    FlexibleTimeWindow: windowOf(parsed),
    Target: target,
    State: has(parsed, 'suspended') ? ('DISABLED' as const) : ('ENABLED' as const),
  };
  const { ScheduleArn = '' } = await asked(
    'scheduler:CreateSchedule',
    `${group}/${name}`,
    scheduler.send(new CreateScheduleCommand(input)),
  );
  io.out(`${ScheduleArn}\n`);
  return 0;
};

/** Of a rate whose start is not written down, nobody could say when it fires. */
function nextMinute(now: Instant): Date {
  return new Date(Math.ceil(now / 60_000) * 60_000);
}

const OVERLAPS = ['queue', 'forbid', 'replace', 'allow'] as const;

/** What becomes of a firing while the run before it goes on: its job's own concurrency.policy. */
function overlapping(
  spec: Record<string, unknown> | undefined,
  parsed: ParsedFlags,
): Record<string, unknown> | undefined {
  const policy = valueOf(parsed, 'overlap');
  if (policy === undefined) return spec;
  if (!OVERLAPS.some((one) => one === policy))
    throw new UsageError(`--overlap '${policy}': must be one of ${OVERLAPS.join(', ')}`);
  const known = isRecord(spec?.['concurrency']) ? spec['concurrency'] : {};
  return { ...spec, concurrency: { ...known, policy } };
}

function deadlineIn(parsed: ParsedFlags): string | undefined {
  const text = valueOf(parsed, 'starting-deadline');
  if (text === undefined || parseDuration(text) !== undefined) return text;
  throw new UsageError(`--starting-deadline '${text}': must be a duration such as 30m or 2h`);
}

/** The next times at which it fires. */
export const next: Execute = async (io, parsed) => {
  const name = nameIn(parsed, 'schedules next <name>');
  const text = valueOf(parsed, 'count') ?? '5';
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new UsageError(`--count '${text}': must be a number, at most 999`);
  const { scheduler, group } = await openGroup(io, parsed);
  const found = await getSchedule({ scheduler, group }, name);
  const times = timesOf(found);
  const at = nextFirings(times, io.clock.now(), Number(text));
  if (has(parsed, 'json'))
    printJson(io, {
      state: found.State === 'DISABLED' ? 'suspended' : 'active',
      next: at.map((one) => new Date(one).toISOString()),
    });
  else for (const one of at) io.out(`${local(one, times.timeZone)}\n`);
  const window = found.FlexibleTimeWindow?.MaximumWindowInMinutes;
  if (window !== undefined) io.err(`each within ${window} minutes of that time\n`);
  if (found.State === 'DISABLED') io.err(`${name} is suspended: it does not fire before schedules resume ${name}\n`);
  return 0;
};

/** In the zone's own time, with what it is ahead of UTC. */
function local(at: Instant, timeZone: string): string {
  return formatInstant(at, 'yyyy-MM-ddTHH:mm:ssXXX', timeZone) ?? new Date(at).toISOString();
}

/** Suspended, it does not fire; again, nothing changes. */
function switching(state: 'ENABLED' | 'DISABLED'): Execute {
  const word = state === 'ENABLED' ? 'resume' : 'suspend';
  return async (io, parsed) => {
    const name = nameIn(parsed, `schedules ${word} <name>`);
    const { scheduler, group } = await openGroup(io, parsed);
    const found = await getSchedule({ scheduler, group }, name);
    const known = omit(found, '$metadata', 'Arn', 'CreationDate', 'LastModificationDate');
    const { Name, ScheduleExpression, Target, FlexibleTimeWindow } = found;
    const whole = { ...known, Name, ScheduleExpression, Target, FlexibleTimeWindow, State: state };
    if (found.State !== state) {
      await asked('scheduler:UpdateSchedule', `${group}/${name}`, scheduler.send(new UpdateScheduleCommand(whole)));
    }
    io.out(`${name} is ${state === 'ENABLED' ? 'resumed' : 'suspended'}\n`);
    return 0;
  };
}

export const suspend = switching('DISABLED');
export const resume = switching('ENABLED');

/** Its runs go on. */
export const remove: Execute = async (io, parsed) => {
  const name = nameIn(parsed, 'schedules delete <name>');
  const { scheduler, group } = await openGroup(io, parsed);
  const gone = scheduler.send(new DeleteScheduleCommand({ Name: name, GroupName: group })).catch((error: unknown) => {
    if (awsCode(error) !== 'ResourceNotFoundException') throw error;
  });
  await asked('scheduler:DeleteSchedule', `${group}/${name}`, gone);
  io.out(`${name} is deleted\n`);
  return 0;
};

export async function getSchedule({ scheduler, group }: Group, name: string): Promise<GetScheduleCommandOutput> {
  const found = scheduler.send(new GetScheduleCommand({ Name: name, GroupName: group })).catch((error: unknown) => {
    if (awsCode(error) !== 'ResourceNotFoundException') throw error;
    throw new UsageError(`there is no schedule '${name}' in the group ${group}: schedules list`);
  });
  return asked('scheduler:GetSchedule', `${group}/${name}`, found);
}

function summary({ name, times, state, input }: Scheduled) {
  const [, job = '-'] = /"job":\s*"([^"]*)"/.exec(input) ?? [];
  return { name, expression: times.expression, zone: times.timeZone, state, job };
}

export function nameIn(parsed: ParsedFlags, usage: string): string {
  const name = onlyArgument(parsed, usage);
  if (NAME.test(name)) return name;
  throw new UsageError(`'${name}' can be no schedule's name: at most 64 letters, digits, '.', '_' and '-'`);
}

function expressionOf(parsed: ParsedFlags): string {
  const [cron, rate] = [valueOf(parsed, 'cron'), valueOf(parsed, 'rate')];
  if ((cron === undefined) === (rate === undefined)) {
    throw new UsageError(
      `when? Give --cron '0 5 * * ? *' (minutes, hours, day, month, weekday, year), or --rate '1 hour'`,
    );
  }
  if (rate !== undefined) {
    if (/^[1-9]\d{0,4} (minute|hour|day)s?$/.test(rate)) return `rate(${rate})`;
    throw new UsageError(`--rate '${rate}': must be a number and minutes, hours or days: '15 minutes'`);
  }
  const fields = (cron ?? '').trim().split(/\s+/);
  if (fields.length !== 6) {
    const alike =
      fields.length === 5 ? `; that of cron(8) would be '${fields.join(' ')} *', with ? for one of the days` : '';
    throw new UsageError(`--cron '${cron ?? ''}': must have minutes, hours, day, month, weekday and year${alike}`);
  }
  try {
    parseCron(fields.join(' '));
  } catch (error) {
    throw new UsageError(`--${describeError(error)}`);
  }
  return `cron(${fields.join(' ')})`;
}

function checkZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw new UsageError(`--zone '${zone}': must be a time zone's name, such as Europe/Berlin`);
  }
}

/** Firings of many schedules are spread over so many minutes. */
function windowOf(parsed: ParsedFlags): { Mode: 'OFF' } | { Mode: 'FLEXIBLE'; MaximumWindowInMinutes: number } {
  const text = valueOf(parsed, 'jitter');
  if (text === undefined) return { Mode: 'OFF' };
  const minutes = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : Infinity;
  if (minutes <= 1440) return { Mode: 'FLEXIBLE', MaximumWindowInMinutes: minutes };
  throw new UsageError(`--jitter '${text}': must be a number of minutes, at most 1440`);
}

async function asked<T>(action: string, resource: string, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw error instanceof UsageError ? error : fromAwsError(error, { action, resource });
  });
}
