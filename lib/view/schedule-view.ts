import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { firings, nextFirings } from '../job/calendar/firings.ts';
import { runOfFiring, scheduledJob, type Scheduled, type ScheduledJob } from '../operate/schedule/scheduled.ts';
import type { RowState, RunRow } from '../run/row.ts';

/** One time at which a schedule was to fire. */
export interface FiringView {
  readonly at: Instant;
  /** Absent: there is no run of it. */
  readonly run?: { readonly id: string; readonly state: RowState };
  /** It has no run although the schedule was there, and had the time to make one. */
  readonly missed: boolean;
}

export interface ScheduleView {
  readonly name: string;
  readonly expression: string;
  readonly zone: string;
  readonly state: Scheduled['state'];
  /** A stored job's name, or that of its spec; `-` for what is no job of this product. */
  readonly job: string;
  readonly next: readonly Instant[];
  /** The oldest first; the last MOST_FIRINGS of MOST_DAYS. */
  readonly firings: readonly FiringView[];
  readonly missed: number;
}

const DAY = 86_400_000;
export const MOST_DAYS = 30;
const MOST_FIRINGS = 60;
const NEXT = 3;
/** A function that starts, and one that is busy, take no longer. */
const PATIENCE = 10 * 60_000;

/** `rows`: all runs that were accepted within MOST_DAYS. Which of them a firing is follows from its time. */
export function viewSchedules(
  schedules: readonly Scheduled[],
  rows: readonly RunRow[],
  now: Instant,
): readonly ScheduleView[] {
  const byId = new Map<string, RunRow>(rows.map((row) => [row.runId, row]));
  const tenants = [...new Set([undefined, ...rows.map(({ tenant }) => tenant)])];
  return schedules.map((one) => viewSchedule(one, byId, tenants, now));
}

function viewSchedule(
  one: Scheduled,
  rows: ReadonlyMap<string, RunRow>,
  tenants: readonly (string | undefined)[],
  now: Instant,
): ScheduleView {
  const { name, times, state } = one;
  const job = attempt(() => scheduledJob(one));
  const past = job === undefined ? [] : pastOf(one, now).map((at) => firingOf(one, job, at, { rows, tenants, now }));
  return {
    ...{ name, expression: times.expression, zone: times.timeZone, state, job: jobName(job) },
    next: state === 'suspended' ? [] : (attempt(() => nextFirings(times, now, NEXT)) ?? []),
    firings: past,
    missed: past.filter(({ missed }) => missed).length,
  };
}

function pastOf({ times, createdAt = 0 }: Scheduled, now: Instant): readonly Instant[] {
  const from = Math.max(now - MOST_DAYS * DAY, createdAt);
  return (attempt(() => [...firings(times, from, now)]) ?? []).slice(-MOST_FIRINGS);
}

function firingOf(
  one: Scheduled,
  job: ScheduledJob,
  at: Instant,
  {
    rows,
    tenants,
    now,
  }: {
    readonly rows: ReadonlyMap<string, RunRow>;
    readonly tenants: readonly (string | undefined)[];
    readonly now: Instant;
  },
): FiringView {
  const row = tenants.map((tenant) => rows.get(runOfFiring(one, job, at, tenant))).find((found) => found !== undefined);
  const run = row && { id: row.runId, state: row.state };
  return { at, ...defined({ run }), missed: run === undefined && one.state === 'active' && now - at > PATIENCE };
}

function jobName(job: ScheduledJob | undefined): string {
  const named = job?.runJob ?? job?.spec?.['name'];
  return typeof named === 'string' ? named : '-';
}

/** Schedules of others may be in the group: what cannot be read of one is left out. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
