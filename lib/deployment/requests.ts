import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { sha256Hex } from '../core/ids.ts';
import { omit } from '../core/omit.ts';
import { nextFirings } from '../job/calendar/firings.ts';
import type { StatePlan } from '../job/job.ts';
import type { RunRecord } from '../run/record.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { addEvent } from './events.ts';
import { keepSnapshot } from './history.ts';
import type { DeploymentRecord, Generation, SnapshotRequest } from './record.ts';

/** Enough to find what a person looks for; what is older was removed, or could not be. */
const LEFTOVERS = 100;

type Asked = Pick<SnapshotRequest, 'kind' | 'why'>;
type Schedule = NonNullable<StatePlan['savepointSchedule']>;

/** With a request for the snapshot that is due, if any, and none is being taken. */
export function openRequest(
  record: DeploymentRecord,
  wanted: Generation,
  run: RunRecord,
  now: Instant,
): DeploymentRecord {
  if (record.request !== undefined) return record;
  const asked = whatIsDue(record, wanted, now);
  if (asked === undefined) return record;
  const ordinal = record.requests + 1;
  const { savepointDirectory, format, savepointDeadline } = wanted.plan;
  const isSavepoint = asked.kind === 'savepoint';
  const directory =
    isSavepoint && savepointDirectory !== undefined
      ? `${savepointDirectory}/${record.id}/${run.runId}-r${ordinal}`
      : undefined;
  const request: SnapshotRequest = {
    ...asked,
    ordinal,
    run: run.runId,
    triggerId: sha256Hex(`snapshot\n${record.id}\n${ordinal}`).slice(0, 32),
    ...defined({ directory }),
    format,
    at: now,
    until: now + savepointDeadline,
  };
  const { savepointTrigger, checkpointTrigger } = wanted.wish.nonces;
  const number = isSavepoint ? { savepointTrigger } : { checkpointTrigger };
  const done = asked.why === 'nonce' ? { ...record.done, ...defined(number) } : record.done;
  return { ...record, requests: ordinal, request, done, ...(isSavepoint && { periodicAt: now }) };
}

function whatIsDue(record: DeploymentRecord, wanted: Generation, now: Instant): Asked | undefined {
  const { savepointTrigger, checkpointTrigger } = wanted.wish.nonces;
  const { done } = record;
  const canSave = wanted.plan.savepointDirectory !== undefined;
  if (canSave && savepointTrigger !== undefined && savepointTrigger !== done.savepointTrigger) {
    return { kind: 'savepoint', why: 'nonce' };
  }
  if (checkpointTrigger !== undefined && checkpointTrigger !== done.checkpointTrigger) {
    return { kind: 'checkpoint', why: 'nonce' };
  }
  const periodic = nextPeriodic(record, wanted);
  return periodic !== undefined && periodic <= now ? { kind: 'savepoint', why: 'periodic' } : undefined;
}

/** By whichever of interval and calendar is first, counted from the last savepoint that was asked for, or from when the run began to run. */
export function nextPeriodic(record: DeploymentRecord, wanted: Generation): Instant | undefined {
  const { savepointEvery, savepointSchedule, savepointDirectory } = wanted.plan;
  const { run, periodicAt = 0 } = record;
  if (savepointDirectory === undefined || run?.runningAt === undefined) return undefined;
  const since = Math.max(run.runningAt, periodicAt);
  const times = [
    savepointEvery === undefined ? undefined : since + savepointEvery,
    // A time of before anybody said so is none.
    savepointSchedule && firingAfter(savepointSchedule, Math.max(since, wanted.at)),
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function firingAfter({ cron, timeZone }: Schedule, since: Instant): Instant | undefined {
  return nextFirings({ expression: `cron(${cron})`, timeZone }, since, 1)[0];
}

/** A savepoint is kept; a checkpoint is the job's own to keep, and only told. */
export function requestDone(
  record: DeploymentRecord,
  ordinal: number,
  snapshot: Snapshot,
  now: Instant,
): DeploymentRecord {
  const { request } = record;
  if (request?.ordinal !== ordinal) return record;
  const closed = omit(record, 'request');
  if (request.kind === 'savepoint') return keepSnapshot(closed, snapshot, request.why, now);
  const generation = record.run?.generation ?? record.wanted;
  return addEvent(closed, 'snapshot', now, { generation, run: request.run, snapshot });
}

/** Flink made none, and the job runs on: the next try has a number of its own, until the time is over. */
export function requestFailed(
  record: DeploymentRecord,
  ordinal: number,
  message: string,
  now: Instant,
): DeploymentRecord {
  const { request } = record;
  if (request?.ordinal !== ordinal) return record;
  if (request.until <= now) return giveUpRequest(record, now, message);
  const next = record.requests + 1;
  const left = leave(record, request);
  const directory = request.directory?.replace(/-r\d+$/, `-r${next}`);
  const triggerId = sha256Hex(`snapshot\n${record.id}\n${next}`).slice(0, 32);
  return { ...left, requests: next, request: { ...request, ordinal: next, triggerId, ...defined({ directory }) } };
}

/** Nothing waits for it any more. */
export function giveUpRequest(record: DeploymentRecord, now: Instant, message: string): DeploymentRecord {
  const { request } = record;
  if (request === undefined) return record;
  const closed = omit(leave(record, request), 'request');
  const text = `No ${request.kind} was taken: ${message}`;
  return addEvent(closed, 'snapshot-failed', now, { run: request.run, reason: 'SavepointFailed', message: text });
}

function leave(record: DeploymentRecord, { directory, run }: SnapshotRequest): DeploymentRecord {
  if (directory === undefined) return record;
  return { ...record, leftovers: [...record.leftovers, { directory, run }].slice(-LEFTOVERS) };
}
