import type { Duration, Instant } from '../core/clock.ts';
import { omit } from '../core/omit.ts';
import { reasonClass, type Reason } from '../core/reasons.ts';
import { hasHighAvailability } from '../job/high-availability.ts';
import { currentAttempt, hasAttempt, isEnded } from '../run/machine.ts';
import { isPrepared } from '../run/prepared.ts';
import type { RunRecord } from '../run/record.ts';
import { afterRun } from './after-run.ts';
import { isToCheck, STATE_CHOICES } from './check/state-check.ts';
import { addEvent } from './events.ts';
import type { DeploymentRecord, Generation, NextRun, StopWhy } from './record.ts';
import { begin, runIdOf } from './start.ts';

/** How long the next run may take to be ready: the last one goes on meanwhile, so that nothing is lost by waiting. */
const PATIENCE: Duration = 5 * 60_000;

/** What the ledger has of the runs beside the present one. */
export interface OtherRuns {
  readonly next?: RunRecord;
  readonly leaving?: RunRecord;
}

export type Preparation =
  /** Nothing stands in the way of what is to be done. */
  | { readonly kind: 'done'; readonly record: DeploymentRecord }
  /** Until the next run is ready, or has ended. */
  | { readonly kind: 'wait'; readonly record: DeploymentRecord; readonly next: NextRun }
  /** The next run has failed, and would again: the present one is left alone. */
  | {
      readonly kind: 'failed';
      readonly record: DeploymentRecord;
      readonly reason: Reason;
      readonly message: string;
      readonly choices?: readonly string[];
    };

interface Preparing {
  readonly wanted: Generation;
  /** Why the present run is to end; undefined: it is not, or there is none. */
  readonly why: StopWhy | undefined;
  readonly next: RunRecord | undefined;
  readonly now: Instant;
}

/** Before the present run is asked to end for another one: that one is made, and ready, where the plan has it so. */
export function prepare(record: DeploymentRecord, at: Preparing): Preparation {
  const { next } = record;
  if (next === undefined) return makeIfItMay(record, at);
  if (!isForAnother(at) || next.generation !== at.wanted.number || next.dropped === true) return drop(record, next, at);
  return whetherReady(record, next, at);
}

function done(record: DeploymentRecord): Preparation {
  return { kind: 'done', record };
}

function isForAnother({ why }: Preparing): boolean {
  return why === 'upgrade' || why === 'restart';
}

function makeIfItMay(record: DeploymentRecord, at: Preparing): Preparation {
  return isForAnother(at) && mayPrepare(record, at.wanted) ? makeNext(record, at) : done(sayUnprepared(record, at));
}

/** Where one is asked for and not made, it is said. */
function sayUnprepared(record: DeploymentRecord, at: Preparing): DeploymentRecord {
  const { run, unprepared } = record;
  const { plan, number: generation } = at.wanted;
  const isAsked = isForAnother(at) && plan.prepareUpgrade === true && unprepared !== generation;
  return run === undefined || !isAsked
    ? record
    : goOnWithout(record, { id: run.id, generation }, whyNot(record), at.now);
}

function whyNot({ run, leaving, state }: DeploymentRecord): string {
  if (leaving !== undefined) return 'the run before the present one is not gone yet';
  return run?.runningAt === undefined ? 'the present run was not seen running yet' : `the deployment is ${state}`;
}

/** A run that does not go well is no reason to wait. */
function mayPrepare({ run, leaving, unprepared, state }: DeploymentRecord, { plan, number }: Generation): boolean {
  if (plan.prepareUpgrade !== true || unprepared === number || leaving !== undefined) return false;
  return run?.runningAt !== undefined && ['running', 'preparing', 'rescaling'].includes(state);
}

function makeNext(record: DeploymentRecord, { wanted, now }: Preparing): Preparation {
  const runs = record.runs + 1;
  const id = runIdOf(record, wanted, runs);
  const next: NextRun = { id, generation: wanted.number, at: now, until: now + PATIENCE };
  const told = addEvent({ ...record, runs, next, state: 'preparing' }, 'preparing', now, { run: id });
  return { kind: 'wait', record: told, next };
}

/**
 * Once it has ended it can get no permit; who may still make it finds it ended. What stands in no way of it goes on then. One
 * for what is wanted now is made when its room is free again.
 */
function drop(record: DeploymentRecord, next: NextRun, at: Preparing): Preparation {
  const { next: run, now } = at;
  const { record: waiting, next: dropped } = dropNext(record, next);
  if (run === undefined || !isEnded(run.state)) return { kind: 'wait', record: waiting, next: dropped };
  const free = forget(record);
  if (run.state === 'closed') return makeIfItMay(free, at);
  const another = isForAnother(at) && mayPrepare(free, at.wanted);
  // Nothing is left of what is suspended or deleted.
  const isLast = record.run === undefined && at.wanted.wish.state !== 'running';
  if (isLast || (another && now < next.until)) return { kind: 'wait', record: waiting, next: dropped };
  const left = leave(record, next);
  const instead = { ...dropped, generation: at.wanted.number };
  const why = 'the one that was prepared before is not gone yet';
  return done(another ? goOnWithout(left, instead, why, now) : sayUnprepared(left, at));
}

/** Nothing waits for it; the record names it until it is proven gone. */
function leave(record: DeploymentRecord, next: NextRun): DeploymentRecord {
  return preparesNoMore(dropNext(record, next).record);
}

function forget(record: DeploymentRecord): DeploymentRecord {
  return preparesNoMore(omit(record, 'next'));
}

function dropNext(record: DeploymentRecord, next: NextRun): { record: DeploymentRecord; next: NextRun } {
  if (next.dropped === true) return { record, next };
  const dropped: NextRun = { ...next, dropped: true };
  return { record: { ...record, next: dropped }, next: dropped };
}

function preparesNoMore(record: DeploymentRecord): DeploymentRecord {
  return record.state === 'preparing' ? { ...record, state: 'running' } : record;
}

function whetherReady(record: DeploymentRecord, next: NextRun, at: Preparing): Preparation {
  const { next: run, now } = at;
  if (run === undefined) return { kind: 'wait', record, next };
  if (run.outcome !== undefined) {
    const { reason, message } = run.outcome;
    if (!isForRoom(reason) && record.run?.stop === undefined)
      return { kind: 'failed', record: leave(record, next), reason, message };
    return done(goOnWithout(leave(record, next), next, message, now));
  }
  if (run.prepared?.readyAt !== undefined) return compared(record, next, at);
  const late = now >= next.until;
  const waits = run.waiting?.message ?? run.stepError?.message;
  if (!late) return { kind: 'wait', record, next };
  const message = `It was not ready within ${PATIENCE / 60_000} minutes${waits === undefined ? '' : `: ${waits}`}`;
  return drop(goOnWithout(record, next, message, now), next, at);
}

/** What would lose state is not begun, and the present run goes on with it. */
function compared(record: DeploymentRecord, next: NextRun, { wanted }: Preparing): Preparation {
  const { checked } = next;
  if (isToCheck(wanted.plan, checked)) return { kind: 'wait', record, next };
  if (checked?.result !== 'drops') return done(record);
  const { message = '' } = checked;
  return { kind: 'failed', record: leave(record, next), reason: 'StateIncompatible', message, choices: STATE_CHOICES };
}

/** What another cluster beside the present one met, or somebody did to it: alone, in its turn, it may start. */
const OTHERS: ReadonlySet<Reason> = new Set<Reason>([
  'StartDeadlineExceeded',
  'PodEvicted',
  'ClusterDeleted',
  'JobCanceled',
  'RestUnreachable',
  'ClusterUnavailable',
]);

function isForRoom(reason: Reason): boolean {
  return reasonClass(reason) === 'capacity' || OTHERS.has(reason);
}

function goOnWithout(
  record: DeploymentRecord,
  { id, generation }: Pick<NextRun, 'id' | 'generation'>,
  why: string,
  now: Instant,
): DeploymentRecord {
  const message = `The upgrade goes on without a prepared run: ${why}`;
  return addEvent({ ...record, unprepared: generation }, 'unprepared', now, { generation, run: id, message });
}

/**
 * Whether the job of a run can neither go on nor begin again, although something of the run is still there: Flink told of its
 * end, the record says so, and no JobManager of it may start, nor is anybody about to hand one the program. With high
 * availability, or where a JobManager did start again, only the proof that nothing is left counts.
 */
export function isFenced(run: RunRecord): boolean {
  if (run.outcome === undefined || !hasAttempt(run)) return false;
  const { flinkState: ended, reason, state } = run.outcome;
  const isStopped = reason === 'StoppedWithSavepoint' || state === 'canceled';
  const { snapshot, startRevokedAt, beganAgain, submission } = currentAttempt(run);
  // What it leaves is looked for when it is gone.
  if (!isStopped || ended === undefined || snapshot === undefined) return false;
  if (startRevokedAt === undefined || beganAgain === true || hasHighAvailability(run.job.options)) return false;
  return !isPrepared(run) || submission?.answeredAt !== undefined;
}

/** Whether the next run may take the place of the one that has ended. */
export function isReady({ next }: DeploymentRecord, wanted: Generation, run: RunRecord | undefined): boolean {
  if (next === undefined || next.dropped === true || next.generation !== wanted.number) return false;
  return run?.outcome === undefined && run?.prepared?.readyAt !== undefined && wanted.wish.state === 'running';
}

/**
 * The next run in the place of the last one, whose job has ended: what it starts from is on record before it gets its permit.
 * Undefined where nothing is to begin.
 */
export function handOver(
  record: DeploymentRecord,
  last: RunRecord,
  wanted: Generation,
  now: Instant,
): DeploymentRecord | undefined {
  const gone = afterRun(record, last, now);
  const { next } = gone;
  if (next === undefined || gone.settled?.generation === wanted.number) return undefined;
  const begun = begin(gone, wanted, now, next.id);
  if (begun.run === undefined) return undefined;
  const handed = { ...omit(begun, 'next'), run: { ...begun.run, prepared: true as const } };
  return last.state === 'closed' ? handed : { ...handed, leaving: { id: last.runId } };
}

/** The state that a run which ended without its permit was to start from is the newest still. */
export function takeBack(record: DeploymentRecord): DeploymentRecord {
  const { run } = record;
  if (run === undefined) return record;
  const { startFrom } = run;
  const bare = { ...omit(record, 'run'), unprepared: run.generation };
  return startFrom === undefined ? bare : { ...bare, newest: startFrom };
}
