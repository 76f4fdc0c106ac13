import { SQSClient } from '@aws-sdk/client-sqs';
import type { Instant } from '../../../../../lib/core/clock.ts';
import { defined } from '../../../../../lib/core/defined.ts';
import { instantsOf } from '../../../../../lib/job/spec/zoned-time.ts';
import { backfill as fill } from '../../../../../lib/operate/schedule/backfill.ts';
import { firings } from '../../../../../lib/job/calendar/firings.ts';
import { tag as tagSchema } from '../../../../../lib/trigger/message.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger } from '../../ledger.ts';
import { sendMessage } from '../runs/send-message.ts';
import { jobOf } from './input.ts';
import { timesOf } from '../../../../../lib/operate/schedule/aws-schedules.ts';
import { runOfFiring } from '../../../../../lib/operate/schedule/scheduled.ts';
import { requirePart } from '../../stack.ts';
import { printJson } from '../../terminal/io.ts';
import { getSchedule, nameIn, openGroup } from './schedules.ts';

/** What is more is a mistake, more often than not. */
const MOST_TICKS = 10_000;
const DAY = 86_400_000;
const INTERRUPTED = 130;

/** Lets each firing of a schedule in a range of days be one run. */
export const backfill: Execute = async (io, parsed) => {
  const name = nameIn(parsed, 'backfill <schedule> --from <day> --to <day>');
  const [atMost, tag] = [atMostIn(parsed), tagIn(parsed, name)];
  const group = await openGroup(io, parsed);
  const schedule = await getSchedule(group, name);
  const times = timesOf(schedule);
  const from = edge(parsed, 'from', times.timeZone, 0);
  const until = Math.min(edge(parsed, 'to', times.timeZone, DAY), io.clock.now());
  const ticks = take(firings(times, from, until));
  const scheduled = jobOf(schedule);
  const { timeZone, ...job } = scheduled;
  const tickOf = (scheduledTime: Instant) => ({
    schedule: schedule.Arn ?? '',
    scheduledTime,
    ...defined({ timeZone }),
  });
  const tenant = valueOf(parsed, 'tenant');
  const idOf = (tick: Instant) => runOfFiring({ arn: schedule.Arn ?? '' }, scheduled, tick, tenant);
  if (has(parsed, 'dry-run')) {
    for (const tick of ticks) io.out(`${iso(tick)}  ${idOf(tick)}\n`);
    return 0;
  }
  const [ledger, queueUrl] = [await openLedger(io, parsed), await requirePart(io, parsed, 'messageQueue')];
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const filled = await fill(ticks, atMost, {
    idOf,
    read: async (runId) => (await ledger.orders.ledger.read(runId))?.value,
    send: async (tick) => {
      const body = { ...job, tick: { ...tickOf(tick), scheduledTime: new Date(tick).toISOString() }, tag };
      await sendMessage(sqs, queueUrl, body, { group: name, once: idOf(tick) });
    },
    clock: io.clock,
    isOver: () => io.interrupted.aborted,
    onTick: (tick, runId, what) => {
      if (!has(parsed, 'json')) io.out(`${iso(tick)}  ${runId}  ${what === 'asked' ? 'asked for' : 'was there'}\n`);
    },
  });
  if (has(parsed, 'json')) printJson(io, { tag, ...filled });
  else io.err(`${filled.asked} asked for, ${filled.there} were there: runs list --tag ${tag}\n`);
  if (!io.interrupted.aborted) return 0;
  io.err('interrupted: the same command goes on from here\n');
  return INTERRUPTED;
};

function take(all: Iterable<Instant>): readonly Instant[] {
  const ticks: Instant[] = [];
  for (const tick of all) {
    ticks.push(tick);
    if (ticks.length > MOST_TICKS) throw new UsageError(`more than ${MOST_TICKS} firings: take fewer days at a time`);
  }
  if (ticks.length === 0) throw new UsageError('the schedule does not fire in these days, or they are still to come');
  return ticks;
}

/** A day of the schedule's zone, of which `--to` is the last one, or a time with its zone. */
function edge(parsed: ParsedFlags, flag: 'from' | 'to', timeZone: string, more: number): Instant {
  const text = valueOf(parsed, flag);
  if (text === undefined) throw new UsageError(`backfill needs --${flag} <day>`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const parsedTime = isDay || /T.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(parsedTime)) {
    throw new UsageError(`--${flag} '${text}': must be a day, 2026-11-21, or a time with its zone, 2026-11-21T06:00Z`);
  }
  if (!isDay) return parsedTime;
  // A midnight that a change of clocks leaves out: the day begins with what comes after it.
  const wall = parsedTime + more;
  return instantsOf(wall, timeZone)[0] ?? instantsOf(wall + 3_600_000, timeZone)[0] ?? wall;
}

function atMostIn(parsed: ParsedFlags): number {
  const text = valueOf(parsed, 'at-most') ?? '1';
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new UsageError(`--at-most '${text}': must be a number of runs, at most 999`);
}

function tagIn(parsed: ParsedFlags, name: string): string {
  const tag = valueOf(parsed, 'tag') ?? `backfill-${name}`.slice(0, 40);
  if (tagSchema.safeParse(tag).success) return tag;
  throw new UsageError(`--tag '${tag}': must be at most 40 letters, digits, dots, _ and -`);
}

function iso(at: Instant): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}
