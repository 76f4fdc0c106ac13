import type { Duration, Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { omit } from '../core/omit.ts';
import { isEnded } from '../run/machine.ts';
import { isHeld } from '../run/prepared.ts';
import type { RunRecord } from '../run/record.ts';
import { ADOPTED, adopting, isToAdopt } from './adopt.ts';
import { afterRun } from './after-run.ts';
import { isUnheard, TRANSITION, waitForRequest, type Decision } from './decision.ts';
import { deleted, due, JAR, jars, rest, suspended } from './at-rest.ts';
import type { DeploymentEventType } from './event.ts';
import { addEvent, fail } from './events.ts';
import { isHeldByRun, retire, retirementAt } from './history.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type Generation, type StopWhy } from './record.ts';
import { handingOver, permitting, preparing, withChoices } from './prepare-steps.ts';
import { upgradeMessage } from './check/upgrade-message.ts';
import { prepare, takeBack, type OtherRuns } from './prepare.ts';
import { ending, stillLeaving } from './ending.ts';
import { removals } from './removals.ts';
import { autoscale, giveUpAutoscale } from './scale/autoscale.ts';
import { endRescale, isToRescale, rescaling, unscaledCause } from './scale/rescale.ts';
import { giveUpRequest, nextPeriodic, openRequest } from './requests.ts';
import { onTrial } from './stable.ts';
import { begin } from './start.ts';
import { stopCause, stopMode } from './stop.ts';

/** Between questions whether a run still needs what it started from. */
const LOOK: Duration = 60 * 60_000;

/**
 * What a deployment does next. `run`: the record of its run, when it names one and the run was made. It never does
 * anything to a run that goes on well but to end it for what is wanted.
 */
export function decideDeployment(
  given: DeploymentRecord,
  run: RunRecord | undefined,
  now: Instant,
  others: OtherRuns = {},
): Decision {
  const record = others.leaving?.state === 'closed' ? omit(given, 'leaving') : given;
  const { run: own } = record;
  const wanted = generationOf(record, record.wanted);
  if (wanted === undefined) return { record, effects: [] };
  if (own === undefined) return withoutRun(record, { wanted, others, now });
  if (run === undefined) return { record, effects: [{ kind: 'start-run', run: own }], dueAt: now + TRANSITION };
  if (!isEnded(run.state)) return withRun(record, { own, run, wanted, others, now });
  if (isHeld(run)) return withoutRun(takeBack(record), { wanted, others, now });
  const handed = handingOver(record, { run, wanted, others, now });
  if (handed !== undefined) return handed;
  if (run.state !== 'closed') return ending(record, own, run, now);
  const after = afterRun(record, run, now);
  return withoutRun(after, { wanted: generationOf(after, after.wanted) ?? wanted, others, now });
}

interface Without {
  readonly wanted: Generation;
  readonly others: OtherRuns;
  readonly now: Instant;
}

/** Nothing of a run is left, once one that was prepared and one that leaves are gone too. */
function withoutRun(given: DeploymentRecord, { wanted, others, now }: Without): Decision {
  const ahead = prepare(given, { wanted, why: undefined, next: others.next, now });
  if (ahead.kind === 'wait') return preparing(ahead.record, ahead.next, others.next, now);
  const { record } = ahead;
  if (record.leaving !== undefined) return stillLeaving(record, record.leaving, others.leaving, now);
  if (wanted.wish.state === 'deleted') {
    return record.state === 'deleted' ? { record, effects: [] } : deleted(record, wanted, now);
  }
  if (record.settled?.generation === wanted.number) return rest(record, wanted, now);
  if (wanted.wish.state === 'suspended') return rest(suspended(record, now), wanted, now);
  const begun = begin(record, wanted, now);
  if (begun.run === undefined) return rest(begun, wanted, now);
  return { record: begun, effects: [{ kind: 'start-run', run: begun.run }], dueAt: now + TRANSITION };
}

interface Running {
  readonly own: DeploymentRun;
  readonly run: RunRecord;
  readonly wanted: Generation;
  readonly others: OtherRuns;
  readonly now: Instant;
}

function withRun(given: DeploymentRecord, { own: before, run, wanted, others, now }: Running): Decision {
  if (isToAdopt(before)) return adopting(given, before, now);
  if (isHeld(run)) return permitting(given, before, now);
  const heard = endRescale(noteStopFailed(noteRunning(given, before, run, now), run, now), wanted, now);
  const noted = giveUpAutoscale(heard, wanted, now);
  const own = noted.run ?? before;
  if (own.stop !== undefined) return stopping(noted, own, run, now);
  const cause = stopCause(noted, own, wanted) ?? unscaledCause(noted, own, wanted);
  const isInPlace = isToRescale(noted, { own, run, wanted }, cause);
  const why = isInPlace ? undefined : cause;
  const ahead = prepare(noted, { wanted, why, next: others.next, now });
  if (ahead.kind === 'wait') return preparing(ahead.record, ahead.next, others.next, now);
  if (isInPlace) return rescaling(ahead.record, { own, run, wanted, now });
  const seen = ahead.kind === 'failed' ? fail(ahead.record, withChoices(ahead), now) : ahead.record;
  const running = { own, run, wanted, others, now };
  const goesOn = why === undefined || ahead.kind === 'failed';
  return goesOn ? goingOn(reach(seen, run), running) : toStop(seen, why, running);
}

/** It is asked to end, so that its state is kept. */
function toStop(seen: DeploymentRecord, why: StopWhy, running: Running): Decision {
  const { own, run, wanted, now } = running;
  // One savepoint at a time: the one that is being taken comes first.
  if (seen.request !== undefined && why !== 'delete' && seen.request.until > now)
    return waitForRequest(seen, seen.request, now);
  const free = giveUpRequest(seen, now, 'The run is asked to end');
  const choice = stopMode(free, { run: own, wanted, why, now });
  if (choice.mode === 'look')
    return { record: free, effects: [{ kind: 'look', runId: own.id }], dueAt: now + TRANSITION };
  if (choice.mode === 'impossible') {
    const { message, choices } = choice;
    const failed = fail(free, { reason: 'InvalidSpec', message, choices }, now);
    return housekeeping(failed, running);
  }
  const state = why === 'suspend' ? 'suspending' : why === 'delete' ? 'deleting' : 'upgrading';
  const stop = { ...choice, why, at: now };
  const asked = { ...free, state, run: { ...own, stop } } as const;
  const told = why === 'suspend' ? 'suspending' : 'upgrading';
  const message = upgradeMessage(seen, wanted);
  const record = why === 'delete' ? asked : addEvent(asked, told, now, { run: own.id, ...defined({ message }) });
  return stopping(record, asked.run, run, now);
}

/** Nothing else is wanted. A run that is new shows first whether it is stable. */
function goingOn(record: DeploymentRecord, running: Running): Decision {
  const { run, now } = running;
  const trial = onTrial(record, run, now);
  const own = trial.record.run ?? running.own;
  if (own.stop !== undefined) return stopping(trial.record, own, run, now);
  const scaled = autoscale(trial.record, { ...running, own });
  if (scaled.record.wanted !== trial.record.wanted) return { record: scaled.record, effects: [], dueAt: now };
  const kept = housekeeping(trial.record, { ...running, own });
  const looks = trial.look && !kept.effects.some(({ kind }) => kind === 'look');
  const effects = [...kept.effects];
  if (looks) effects.push({ kind: 'look', runId: own.id });
  if (scaled.look) effects.push({ kind: 'look-at-load', runId: own.id });
  return { ...kept, effects, ...due([kept.dueAt, trial.dueAt, scaled.dueAt]) };
}

/** Carried through: what is wanted meanwhile comes after it. */
function stopping(record: DeploymentRecord, own: DeploymentRun, run: RunRecord, now: Instant): Decision {
  const { stop } = own;
  const dueAt = now + TRANSITION;
  if (stop === undefined || run.stopRequested !== undefined || run.cancelRequested !== undefined) {
    return { record, effects: [], dueAt };
  }
  const upgrade = stop.why !== 'suspend' && stop.why !== 'delete';
  return { record, effects: [{ kind: 'stop-run', runId: own.id, stop, upgrade }], dueAt };
}

function noteRunning(record: DeploymentRecord, own: DeploymentRun, run: RunRecord, now: Instant): DeploymentRecord {
  if (own.runningAt !== undefined || run.state !== 'running') return record;
  const seen = { ...record, run: { ...own, runningAt: now } };
  const { generation, startFrom: snapshot } = own;
  const about = { generation, run: own.id, ...defined({ snapshot, message: own.adopted && ADOPTED }) };
  if (own.stop !== undefined) return seen;
  return addEvent({ ...seen, state: 'running' }, TOLD[own.why] ?? 'upgraded', now, about);
}

const TOLD: Partial<Record<DeploymentRun['why'], DeploymentEventType>> = {
  create: 'started',
  resume: 'resumed',
  rollback: 'rolled-back',
};

/** The job went on, and nothing was lost: a newer generation may try again. */
function noteStopFailed(record: DeploymentRecord, run: RunRecord, now: Instant): DeploymentRecord {
  const { run: own } = record;
  const failed = run.stopFailed;
  if (own?.stop === undefined || failed === undefined || failed.at < own.stop.at) return record;
  const choices = [
    'send it again, or with another restartNonce',
    'job.fallback: last-state, to go on from the newest checkpoint',
    'job.savepointDeadline, for more time',
  ];
  const freed = { ...record, run: omit(own, 'stop') };
  return fail(freed, { reason: failed.reason, message: failed.message, choices }, now);
}

/** What is wanted is what runs. */
function reach(record: DeploymentRecord, run: RunRecord): DeploymentRecord {
  if (record.settled?.generation === record.wanted || run.state !== 'running') return record;
  return record.reached === record.wanted ? record : { ...record, reached: record.wanted };
}

/** The job goes on: snapshots are taken and retired, and the jar is kept. */
function housekeeping(given: DeploymentRecord, { own, run, wanted, now }: Running): Decision {
  if (run.state !== 'running') {
    const effects = isUnheard(run, now) ? [{ kind: 'start-run' as const, run: own }] : [];
    return { record: given, effects, dueAt: now + TRANSITION };
  }
  const opened = openRequest(given, wanted, run, now);
  if (opened.request !== undefined) {
    if (opened.request.until > now) return waitForRequest(opened, opened.request, now);
    return { record: giveUpRequest(opened, now, 'It took too long'), effects: [], dueAt: now };
  }
  const asks = isHeldByRun(opened, now) && now - (own.checkpoints?.at ?? 0) >= LOOK;
  const keeps = now - opened.jarKeptAt >= JAR;
  const kept = retire(opened, now);
  const retired = keeps ? { ...kept, jarKeptAt: now } : kept;
  const effects = removals(retired);
  if (keeps) effects.push(...jars(retired));
  if (asks) effects.push({ kind: 'look', runId: own.id });
  const times = [nextPeriodic(retired, wanted), retirementAt(retired, now), asks ? now + LOOK : undefined];
  return { record: retired, effects, ...due(times) };
}
