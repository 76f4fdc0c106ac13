import type { Instant } from '../core/clock.ts';
import { omit } from '../core/omit.ts';
import type { ActiveRun, RunRecord } from '../run/record.ts';
import { TRANSITION, type Decision } from './decision.ts';
import { applyRequest } from './generations.ts';
import type { DeploymentRecord, DeploymentRequest, DeploymentRun } from './record.ts';

/** What the event says that its first run begins with. */
export const ADOPTED = 'It was a run of its own, which Flink runs as a stream: what is wanted next takes its place';

/**
 * A deployment whose run is one that goes on already; `request`: what asked for that, as of a stream. It takes the place of a
 * deployment that is over. Undefined: the run was this deployment's before, or is of an older upload than that.
 */
export function adopt(
  before: DeploymentRecord | undefined,
  {
    request,
    run,
    guessed,
  }: { readonly request: DeploymentRequest; readonly run: ActiveRun; readonly guessed: boolean },
  now: Instant,
): DeploymentRecord | undefined {
  const applied = applyRequest(before, request, now, false);
  if (applied.kind === 'known' || applied.generation.superseded === true) return undefined;
  const { record, generation } = applied;
  const over = omit(record, 'settled', 'newest', 'unknown', 'finishedAt', 'stable', 'guessed');
  const own: DeploymentRun = {
    ...{ id: run.runId, generation: generation.number, why: 'create', at: run.createdAt },
    adopted: {},
  };
  return { ...over, state: 'starting', runs: over.runs + 1, run: own, ...(guessed && { guessed: true }) };
}

/** Nothing is asked of a run whose record does not know of its deployment. */
export function isToAdopt({ adopted }: DeploymentRun): boolean {
  return adopted !== undefined && adopted.at === undefined;
}

export function adopting(record: DeploymentRecord, run: DeploymentRun, now: Instant): Decision {
  return { record, effects: [{ kind: 'adopt-run', run }], dueAt: now + TRANSITION };
}

export function noteAdopted(record: DeploymentRecord, { id }: DeploymentRun, now: Instant): DeploymentRecord {
  const { run } = record;
  return run?.id === id && isToAdopt(run) ? { ...record, run: { ...run, adopted: { at: now } } } : record;
}

/** Why nobody knows what a run left that ended as one of its own; undefined: it is known, or there is none. */
export function lostUnadopted({ adopted }: DeploymentRun, { runId, job, outcome }: RunRecord): string | undefined {
  if (adopted === undefined || job?.state !== undefined || hasFinished(outcome)) return undefined;
  return `run ${runId} ended before its deployment could keep its state: ${outcome?.message ?? ''}`;
}

/** By itself: what it was to make room for takes its turn. */
export function hasFinished(outcome: RunRecord['outcome']): boolean {
  return outcome?.state === 'succeeded' && outcome.reason !== 'StoppedWithSavepoint';
}
