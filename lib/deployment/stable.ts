import type { Duration, Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { omit } from '../core/omit.ts';
import { checkpointInterval } from '../run/checkpointing.ts';
import type { RunRecord } from '../run/record.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { addEvent } from './events.ts';
import { accepting } from './generations.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type Health } from './record.ts';
import { targetOf, waysBack } from './rollback.ts';

/** Restarts that a job may have in its probation. */
const FEW = 3;
/** Between two questions to its JobManager, and at least a tenth of the probation. */
const LOOK: Duration = 30_000;

/** What a look at the probation of the running generation came to. */
export interface Trial {
  /** With `stop` where its run is to end. */
  readonly record: DeploymentRecord;
  /** Whether its JobManager is to be asked. */
  readonly look: boolean;
  readonly dueAt?: Instant;
}

type Judgement =
  | { readonly kind: 'wait' | 'look' | 'stable' }
  /** `hasState`: it has completed a checkpoint. */
  | { readonly kind: 'unstable'; readonly hasState: boolean; readonly message: string; readonly restarts: number };

interface Tried {
  readonly own: DeploymentRun & { readonly runningAt: Instant };
  readonly run: RunRecord;
  readonly probation: Duration;
  readonly now: Instant;
}

/**
 * Whether the generation that runs is stable: at the end of its probation all its tasks run, a checkpoint of its own is
 * complete where it takes any, and it had few restarts. One that is not, and has nothing to lose, is ended for the last one
 * that was; one that has new state is told of. What its JobManager does not answer decides nothing.
 */
export function onTrial(record: DeploymentRecord, run: RunRecord, now: Instant): Trial {
  const { run: own } = record;
  const plan = own && generationOf(record, own.generation)?.plan;
  if (own?.runningAt === undefined || plan === undefined || run.state !== 'running' || isStable(record, own)) {
    return { record, look: false };
  }
  // What is being taken may be its first state.
  if (record.request !== undefined) return { record, look: false };
  const tried = { own: { ...own, runningAt: own.runningAt }, run, probation: plan.probation, now };
  const judged = judge(tried);
  const next = (own.checkpoints?.at ?? now) + lookEvery(tried);
  const dueAt = endOf(tried) > now ? Math.min(next, endOf(tried)) : next;
  if (judged.kind === 'stable') return { record: stable(record, own, now), look: false };
  if (judged.kind !== 'unstable') return { record, look: judged.kind === 'look', dueAt };
  return { record: unstable(record, own, judged, now), look: false, dueAt };
}

/** Of the job that runs, whichever of its generations was. */
export function isStable(record: DeploymentRecord, own: DeploymentRun): boolean {
  const known = record.stable && generationOf(record, record.stable.generation);
  return known !== undefined && known.job === generationOf(record, own.generation)?.job;
}

/**
 * What a run that is gone says of its generation. One that was stopped in good order with a savepoint, or was well, is as
 * good as stable, and what it left is what it would go on from; one that failed is stable no longer.
 */
export function afterHandover(
  record: DeploymentRecord,
  own: DeploymentRun,
  { outcome }: RunRecord,
  now: Instant,
  left: Snapshot | undefined,
): DeploymentRecord {
  const known = isStable(record, own);
  if (outcome?.state !== 'succeeded' && outcome?.state !== 'canceled') return known ? omit(record, 'stable') : record;
  if (own.stop === undefined || own.stop.why === 'unstable') return record;
  const { generation } = own;
  const handedOver = { ...record, stable: { generation, at: record.stable?.at ?? now, ...defined({ left }) } };
  if (known) return handedOver;
  const inOrder = outcome.reason === 'StoppedWithSavepoint' || isWell(own);
  if (left === undefined || !inOrder) return record;
  const noted = { ...accepting(handedOver, generation), stable: { ...handedOver.stable, at: now } };
  return addEvent(noted, 'stable', now, { generation, run: own.id, snapshot: left });
}

function isWell(own: DeploymentRun): boolean {
  const { health, checkpoints } = own;
  return checkpoints?.own === true && health !== undefined && health.tasksRun && restartsOf(own, health) <= FEW;
}

/** That were not for another parallelism. */
function restartsOf({ rescales = 0 }: DeploymentRun, { restarts }: Health): number {
  return restarts - rescales;
}

function stable(record: DeploymentRecord, own: DeploymentRun, now: Instant): DeploymentRecord {
  const { generation } = own;
  const noted = { ...accepting(record, generation), stable: { generation, at: now }, run: omit(own, 'unstable') };
  return addEvent(noted, 'stable', now, { generation, run: own.id });
}

function unstable(
  record: DeploymentRecord,
  own: DeploymentRun,
  { hasState, message, restarts }: Extract<Judgement, { kind: 'unstable' }>,
  now: Instant,
): DeploymentRecord {
  const { generation } = own;
  const known = { ...own, unstable: { at: now, message, restarts } };
  if (!hasState && targetOf(record, own) !== undefined) {
    const hasCheckpoints = generationOf(record, generation)?.plan.checkpointDirectory !== undefined;
    const stop = { mode: hasCheckpoints ? 'last-state' : 'cancel', why: 'unstable', at: now } as const;
    return { ...record, state: 'rolling-back', run: { ...known, stop } };
  }
  const noted = { ...record, run: known };
  if (own.unstable !== undefined) return noted;
  const choices = ['a corrected job', ...waysBack(record, own)];
  return addEvent(noted, 'unstable', now, { generation, run: own.id, reason: 'NotStable', message, choices });
}

function judge(tried: Tried): Judgement {
  const { own, now } = tried;
  const { health, checkpoints } = own;
  const isOver = now >= endOf(tried);
  if (checkpoints === undefined || now - checkpoints.at >= lookEvery(tried)) return { kind: 'look' };
  if (isOver && checkpoints.at < endOf(tried)) return { kind: 'look' };
  // It did not answer.
  if (health?.at !== checkpoints.at) return { kind: 'wait' };
  const counted = { ...health, restarts: restartsOf(own, health) };
  const message = complaint(counted, checkpoints.own, isOver, tried);
  if (message === undefined) return { kind: isOver && isReady(health, checkpoints.own, tried) ? 'stable' : 'wait' };
  return { kind: 'unstable', hasState: checkpoints.own, message, restarts: counted.restarts };
}

/** What is wrong with it, in a sentence. */
function complaint(health: Health, hasState: boolean, isOver: boolean, tried: Tried): string | undefined {
  const { tasksRun, restarts, failedCheckpoints: failed } = health;
  const since = `${Math.round((tried.now - tried.own.runningAt) / 1000)} s after it began to run`;
  if (restarts - (tried.own.unstable?.restarts ?? 0) > FEW) return `It was restarted ${restarts} times`;
  if (!isOver) return undefined;
  if (!tasksRun) return `Not all its tasks run ${since}`;
  if (isReady(health, hasState, tried)) return undefined;
  // A first checkpoint may take longer than the probation.
  if (health.takesCheckpoint && failed === 0) return undefined;
  return `It has completed no checkpoint ${since}${failed === 0 ? '' : `: ${failed} failed`}`;
}

function isReady({ tasksRun }: Health, hasState: boolean, { run }: Tried): boolean {
  return tasksRun && (hasState || checkpointInterval(run) === undefined);
}

/** A probation leaves time for two checkpoints. */
function endOf({ own, run, probation }: Tried): Instant {
  return (own.unstable?.at ?? own.runningAt) + Math.max(probation, 2 * (checkpointInterval(run) ?? 0));
}

/** One that is known to be unstable is asked for at the end of its next probation. */
function lookEvery({ own, probation }: Pick<Tried, 'own' | 'probation'>): Duration {
  return Math.max(LOOK, own.unstable === undefined ? probation / 10 : probation);
}
