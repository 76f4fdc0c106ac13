import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { runIdFor, type RunId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import { omit } from '../core/omit.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { addEvent } from './events.ts';
import { noteRestored } from './history.ts';
import { differInScaleAlone } from './scale/plan.ts';
import { generationOf, type DeploymentRecord, type DeploymentRun, type Generation, type RunWhy } from './record.ts';

/** What the next run starts from, or why nobody but a person can say. */
export type Start =
  | { readonly kind: 'from'; readonly snapshot: Snapshot }
  | { readonly kind: 'empty' }
  | {
      readonly kind: 'blocked';
      readonly reason: Reason;
      readonly message: string;
      readonly choices: readonly string[];
    };

const STATELESS = 'job.upgradeMode: stateless, to start with empty state';
const REDEPLOY = 'job.initialSavepointPath with a new job.savepointRedeployNonce, to start from that snapshot';
const FROM = 'flink-dispatch deployments upgrade --from <snapshot>';

/** Never empty unless that is what is said, or there never was any state. */
function startOf(record: DeploymentRecord, wanted: Generation): Start {
  const { initialSavepointPath: path } = wanted.wish;
  if (path !== undefined && (record.runs === 0 || asksToRedeploy(record, wanted))) {
    return { kind: 'from', snapshot: knownSnapshot(record, path) };
  }
  const isStateless = wanted.plan.upgradeMode === 'stateless' && wanted.rollbackOf === undefined;
  if (record.runs === 0 || isStateless) return { kind: 'empty' };
  const { unknown, finishedAt, newest } = record;
  if (unknown !== undefined) {
    const message = `The last run may have left a newer state than is known: ${unknown}`;
    return { kind: 'blocked', reason: 'StateUnknown', message, choices: [STATELESS, REDEPLOY, FROM] };
  }
  const known = newest ?? record.snapshots.at(-1)?.snapshot;
  if (finishedAt !== undefined && known !== undefined) {
    const message = `The job has finished, and its state with it; ${known.path} is of before its end`;
    return { kind: 'blocked', reason: 'DeploymentFinished', message, choices: [STATELESS, REDEPLOY, FROM] };
  }
  if (newest === undefined) return { kind: 'empty' };
  return isSilentFallback(record, wanted) ? savepointMissing(newest) : { kind: 'from', snapshot: newest };
}

/** One that is on record is known to be the deployment's own. */
function knownSnapshot({ snapshots }: DeploymentRecord, path: string): Snapshot {
  return snapshots.find(({ snapshot }) => snapshot.path === path)?.snapshot ?? { kind: 'savepoint', path };
}

export function asksToRedeploy({ done }: DeploymentRecord, { wish }: Generation): boolean {
  const { savepointRedeploy } = wish.nonces;
  return savepointRedeploy !== undefined && savepointRedeploy !== done.savepointRedeploy;
}

/** Another job starts from a checkpoint although a savepoint was asked for: a checkpoint may not fit it. */
function isSilentFallback(record: DeploymentRecord, wanted: Generation): boolean {
  const { plan, job, rollbackOf } = wanted;
  // Rolled back to, it wrote that checkpoint itself.
  if (record.newest?.kind !== 'checkpoint' || rollbackOf !== undefined) return false;
  if (plan.upgradeMode !== 'savepoint' || plan.fallback === 'last-state') return false;
  const last = generationOf(record, record.last?.generation ?? 0);
  return last?.job !== job && !differInScaleAlone(last, wanted);
}

function savepointMissing({ path }: Snapshot): Start {
  return {
    kind: 'blocked',
    reason: 'SavepointFailed',
    message: `The last run left no savepoint, but the checkpoint ${path}`,
    choices: [
      'job.fallback: last-state, or job.upgradeMode: last-state, to start from the checkpoint',
      STATELESS,
      REDEPLOY,
    ],
  };
}

/** Names the next run, before anything of it exists; `made`: it has been prepared. */
export function begin(record: DeploymentRecord, wanted: Generation, now: Instant, made?: RunId): DeploymentRecord {
  const start = startOf(record, wanted);
  if (start.kind === 'blocked') return block(record, start, now);
  const runs = made === undefined ? record.runs + 1 : record.runs;
  const startFrom = start.kind === 'from' ? start.snapshot : undefined;
  const run: DeploymentRun = {
    id: made ?? runIdOf(record, wanted, runs),
    generation: wanted.number,
    why: whyOf(record, wanted),
    ...defined({ startFrom }),
    at: now,
  };
  const { restart, savepointRedeploy } = wanted.wish.nonces;
  const done = { ...record.done, ...defined({ restart, savepointRedeploy }) };
  const state = record.state === 'upgrading' || record.state === 'rolling-back' ? record.state : ('starting' as const);
  const next = { ...omit(record, 'settled', 'newest', 'unknown', 'finishedAt'), runs, run, done, state };
  return startFrom === undefined ? next : noteRestored(next, startFrom.path, run.id);
}

/** Of the deployment's run of that number. */
export function runIdOf({ id }: DeploymentRecord, { number }: Generation, runs: number): RunId {
  return runIdFor(`deployment\n${id}\n${number}\n${runs}`);
}

function whyOf(record: DeploymentRecord, wanted: Generation): RunWhy {
  if (record.runs === 0) return 'create';
  if (wanted.rollbackOf !== undefined) return 'rollback';
  if (asksToRedeploy(record, wanted)) return 'redeploy';
  if (record.state === 'suspended') return 'resume';
  return generationOf(record, record.last?.generation ?? 0)?.job === wanted.job ? 'restart' : 'upgrade';
}

/** Until somebody decides, by another generation. */
export function block(
  record: DeploymentRecord,
  why: { readonly reason: Reason; readonly message: string; readonly choices: readonly string[] },
  now: Instant,
): DeploymentRecord {
  const { reason, message, choices } = why;
  const settled = { generation: record.wanted, reason, message, choices, at: now };
  return addEvent({ ...record, state: 'blocked', settled }, 'blocked', now, { reason, message, choices });
}
