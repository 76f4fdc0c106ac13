import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { omit } from '../core/omit.ts';
import type { Reason } from '../core/reasons.ts';
import type { RunRecord } from '../run/record.ts';
import { isBelow } from '../state/storage.ts';
import { hasFinished, lostUnadopted } from './adopt.ts';
import { addEvent } from './events.ts';
import { keepSnapshot, leftBy, newestOf } from './history.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun } from './record.ts';
import { giveUpRequest } from './requests.ts';
import { newState, rollBack, waysBack } from './rollback.ts';
import { afterHandover } from './stable.ts';
import { block } from './start.ts';

/** What a deployment knows once its run is proven gone: its newest state, and whether another run may follow. */
export function afterRun(given: DeploymentRecord, run: RunRecord, now: Instant): DeploymentRecord {
  const { run: own } = given;
  if (own === undefined) return given;
  const learned = learn(given, own, run, now);
  const gone = { ...omit(learned, 'run'), last: { id: own.id, generation: own.generation } };
  return settle(gone, own, run, now);
}

function learn(given: DeploymentRecord, own: DeploymentRun, run: RunRecord, now: Instant): DeploymentRecord {
  const newest = newestOf(run);
  const left = leftBy(run);
  const { request } = given;
  // The savepoint that was being taken may be complete, and nobody had heard of it.
  const isDone = left !== undefined && request?.directory !== undefined && isBelow(left.path, request.directory);
  const record = isDone ? omit(given, 'request') : giveUpRequest(given, now, 'The run has ended');
  const why = (isDone ? request.why : undefined) ?? own.stop?.why ?? 'end';
  const known = { ...record, ...defined({ newest, unknown: run.stateUnknown?.message ?? lostUnadopted(own, run) }) };
  if (left === undefined) return afterHandover(known, own, run, now, newest);
  const snapshot = { ...left, run: left.run ?? run.runId };
  const kept = keepSnapshot({ ...known, newest: snapshot }, snapshot, why, now);
  return afterHandover(kept, own, run, now, snapshot);
}

/** Whether it ended as it was asked to, or otherwise: then nothing begins before somebody wants something else. */
function settle(record: DeploymentRecord, own: DeploymentRun, run: RunRecord, now: Instant): DeploymentRecord {
  const { outcome } = run;
  if (outcome === undefined) return record;
  const { reason, message } = outcome;
  // That it has no end was a guess: what was asked for beside it is no version of it.
  const isFinished = hasFinished(outcome) && !(own.adopted !== undefined && wantsAnother(record, own));
  if (isFinished) return finish(record, own, now);
  if (wantsAnother(record, own)) return record;
  const back = rollBack(record, own, run, now);
  if (back !== undefined || own.stop !== undefined) return back ?? record;
  if (outcome.state === 'succeeded' || outcome.state === 'canceled') {
    const choices = ['flink-dispatch deployments resume', 'another restartNonce'];
    const settled = { generation: record.wanted, reason, message, choices, at: now };
    const about = { run: run.runId, reason, message, choices };
    return addEvent({ ...record, state: 'suspended', settled }, 'suspended', now, about);
  }
  return block(
    record,
    failure(record, own, run, { reason, message: `Run ${run.runId} ${outcome.state}: ${message}` }),
    now,
  );
}

function failure(
  record: DeploymentRecord,
  own: DeploymentRun,
  run: RunRecord,
  { reason, message }: { readonly reason: Reason; readonly message: string },
): Parameters<typeof block>[1] {
  const back = waysBack(record, own);
  const done = back.length === 0 ? undefined : newState(record, own, run);
  const choices = ['a corrected job', 'another restartNonce, or flink-dispatch deployments restart', ...back];
  if (done === undefined) return { reason, message, choices };
  return { reason, message: `${message}; no generation takes its place by itself, since ${done}`, choices };
}

function wantsAnother(record: DeploymentRecord, own: DeploymentRun): boolean {
  const [wanted, ran] = [generationOf(record, record.wanted), generationOf(record, own.generation)];
  return wanted?.wish.state !== 'running' || wanted.job !== ran?.job;
}

/** A natural end wins a race with whatever was asked for. */
function finish(record: DeploymentRecord, own: DeploymentRun, now: Instant): DeploymentRecord {
  const late = record.wanted !== own.generation && record.wanted !== record.reached;
  const message = late ? `The job has finished before generation ${record.wanted} was begun` : 'The job has finished';
  const choices = ['job.upgradeMode: stateless, to start with empty state'];
  const settled = { generation: record.wanted, reason: 'JobFinished', message, choices, at: now } as const;
  const finished = { ...record, state: 'finished', settled, finishedAt: now } as const;
  return addEvent(finished, 'finished', now, { generation: own.generation, run: own.id, message });
}
