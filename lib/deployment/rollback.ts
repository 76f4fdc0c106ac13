import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { runIdFor } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import { checkpointInterval } from '../run/checkpointing.ts';
import type { RunRecord } from '../run/record.ts';
import { addEvent } from './events.ts';
import { afterRejection, bounded, nextNumber, rejecting } from './generations.ts';
import { leftBy } from './history.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type Generation } from './record.ts';

/**
 * What the run's generation is rolled back to by itself: the last stable one, whose state it started from and nobody has
 * gone beyond. Undefined where that is for a person to decide, or where something else is wanted by now.
 */
export function targetOf(record: DeploymentRecord, own: DeploymentRun): Generation | undefined {
  const { stable } = record;
  const [failed, wanted] = [generationOf(record, own.generation), generationOf(record, record.wanted)];
  const target = stable && generationOf(record, stable.generation);
  if (target === undefined || failed === undefined || failed.job === target.job) return undefined;
  if (wanted?.job !== failed.job || wanted.wish.state !== 'running' || wanted.plan.rollback === 'manual')
    return undefined;
  const startedFrom = own.startFrom?.path;
  const isItsOwn =
    startedFrom === undefined ? target.plan.upgradeMode === 'stateless' : startedFrom === stable?.left?.path;
  return isItsOwn ? target : undefined;
}

/** What a person can do about a generation that is not stable: the commands for it. */
export function waysBack(record: DeploymentRecord, own: DeploymentRun): readonly string[] {
  const { name, stable } = record;
  const target = stable && generationOf(record, stable.generation);
  if (target === undefined || target.job === generationOf(record, own.generation)?.job) return [];
  const orders = [
    `flink-dispatch deployments upgrade ${name} --to ${target.number}, to give its state to generation ${target.number}`,
  ];
  const path = stable?.left?.path;
  if (path === undefined) return orders;
  const rollback = `flink-dispatch deployments rollback ${name} --accept-duplicates`;
  return [
    ...orders,
    `${rollback}, to go back to generation ${target.number} and ${path}: what came after is done again`,
  ];
}

/**
 * The last stable generation again, in place of one whose run is gone and has left nothing new. Undefined where a person has
 * to decide. Once in the record it is a generation like any other: whoever dies over it, the next one takes it up.
 */
export function rollBack(
  record: DeploymentRecord,
  own: DeploymentRun,
  run: RunRecord,
  now: Instant,
): DeploymentRecord | undefined {
  const target = targetOf(record, own);
  const cause = causeOf(own, run);
  if (target === undefined || cause === undefined || newState(record, own, run) !== undefined) return undefined;
  const number = nextNumber(record);
  const { wish: { nonces } = { nonces: {} }, at = now } = generationOf(record, record.wanted) ?? {};
  const { job, program, flinkVersion, plan, notify, scale } = target;
  const generation: Generation = {
    // Nobody sent it: a request that is being taken meanwhile is no older than what it takes the place of.
    ...{ number, job, program, flinkVersion, plan, notify, at },
    requestId: runIdFor(`rollback\n${record.id}\n${number}`),
    jobIn: target.jobIn ?? target.requestId,
    ...defined({ scale }),
    wish: { state: 'running', nonces },
    by: `rollback of generation ${own.generation}`,
    rollbackOf: own.generation,
  };
  const rejected = rejecting(record, own.generation, { at: now, ...cause });
  const added: DeploymentRecord = {
    ...rejected,
    generations: [...rejected.generations, generation],
    wanted: number,
    state: 'rolling-back',
  };
  const choices = afterRejection(record, own.generation);
  const message = `${cause.message}: generation ${target.number} runs again, as generation ${number}`;
  const about = { run: own.id, reason: cause.reason, message, choices, ...defined({ snapshot: own.startFrom }) };
  return bounded(addEvent(added, 'rolling-back', now, { generation: own.generation, ...about }));
}

/** Why it is rolled back; undefined where its end says nothing against it. */
function causeOf(own: DeploymentRun, { runId, outcome }: RunRecord): { reason: Reason; message: string } | undefined {
  if (own.stop !== undefined) {
    const { why } = own.stop;
    return why === 'unstable' && own.unstable ? { reason: 'NotStable', message: own.unstable.message } : undefined;
  }
  if (outcome?.state !== 'failed' && outcome?.state !== 'rejected') return undefined;
  const { reason, message } = outcome;
  // A person did that.
  return reason === 'ClusterDeleted' ? undefined : { reason, message: `Run ${runId} ${outcome.state}: ${message}` };
}

/** Why there may be state that is newer than what the run started from: going back would do again what it did. */
export function newState(record: DeploymentRecord, own: DeploymentRun, run: RunRecord): string | undefined {
  const left = leftBy(run);
  if (left !== undefined) return `it has completed ${left.kind} ${left.path}`;
  if (record.snapshots.some(({ snapshot }) => snapshot.run === own.id)) return 'it has completed a savepoint';
  if (own.checkpoints?.own === true) return 'it has completed a checkpoint';
  if (run.stateUnknown !== undefined) return `nobody knows what it has completed: ${run.stateUnknown.message}`;
  const isListed = generationOf(record, own.generation)?.plan.checkpointDirectory !== undefined;
  const ranUnseen = own.runningAt !== undefined && checkpointInterval(run) !== undefined;
  return !isListed && ranUnseen ? 'it may have completed checkpoints, which have no directory' : undefined;
}
