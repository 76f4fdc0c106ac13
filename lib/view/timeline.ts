import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import type { Attempt, RunRecord } from '../run/record.ts';

export type StepKind = 'accepted' | 'waiting' | 'creating' | 'starting' | 'ready' | 'running' | 'removing';

/** A span of a run's life. */
export interface TimelineStep {
  readonly kind: StepKind;
  /** Absent outside of attempts. */
  readonly attempt?: number;
  readonly from: Instant;
  /** Absent: it goes on. */
  readonly to?: Instant;
}

/** What a run did, in order and without gaps, as far as its record tells. */
export function timelineOf(run: RunRecord): readonly TimelineStep[] {
  const steps: TimelineStep[] = [];
  let reached = run.createdAt;
  for (const attempt of run.attempts) {
    const kind = attempt.number === 1 ? 'accepted' : 'waiting';
    if (attempt.launchedAt > reached) steps.push({ kind, from: reached, to: attempt.launchedAt });
    const own = stepsOf(attempt, run);
    steps.push(...own);
    reached = own.at(-1)?.to ?? attempt.launchedAt;
  }
  if (run.state === 'accepted' || run.state === 'waiting') {
    return [...steps, { kind: run.state, from: reached }];
  }
  return run.attempts.length > 0 ? steps : [{ kind: 'accepted', from: reached, ...defined({ to: run.outcome?.at }) }];
}

function stepsOf(attempt: Attempt, run: RunRecord): readonly TimelineStep[] {
  const { number, launchedAt, createdAt, runningAt, removalVerifiedAt } = attempt;
  const isLast = run.attempts.at(-1) === attempt;
  const end = attempt.outcome?.at ?? (isLast ? run.outcome?.at : removalVerifiedAt);
  const { readyAt, permittedAt } = (number === 1 ? run.prepared : undefined) ?? {};
  const gone = removalVerifiedAt ?? (run.state === 'closed' && isLast ? run.updatedAt : undefined);
  const begins: readonly (readonly [StepKind, Instant | undefined])[] = [
    ['creating', launchedAt],
    ['starting', createdAt],
    ['ready', readyAt],
    ['starting', permittedAt],
    ['running', runningAt],
    ['removing', end],
  ];
  const known = begins.flatMap(([kind, from]) => (from === undefined ? [] : [{ kind, from }]));
  return known
    .map(({ kind, from }, index) => ({
      kind,
      attempt: number,
      from,
      ...defined({ to: known[index + 1]?.from ?? gone }),
    }))
    .filter(({ from, to }) => to === undefined || to > from || known.length === 1);
}
