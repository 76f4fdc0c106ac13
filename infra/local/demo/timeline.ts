import type { Attempt, RunRecord } from '../../../lib/run/record.ts';
import type { Duration, Instant } from '../../../lib/core/clock.ts';

/** What a person sees of a run's life, in order. */
export const STAGES = ['accepted', 'launching', 'starting', 'running', 'finished', 'announced', 'clean'] as const;
export type Stage = (typeof STAGES)[number];

export interface Milestone {
  readonly stage: Stage;
  readonly at: Instant;
  /** Milliseconds since the request. */
  readonly since: Duration;
  readonly note: string;
}

type Entry = readonly [Stage, Instant | undefined, string];

/** The milestones that a record tells of, oldest first; `from` is when the request was made. */
export function timeline(record: RunRecord, from: Instant): readonly Milestone[] {
  const { outcome } = record;
  const announced = record.events.find(({ type }) => type === 'completed')?.publishedAt;
  const entries: readonly Entry[] = [
    ['accepted', record.createdAt, `run ${record.runId}`],
    ...record.attempts.flatMap(attemptEntries),
    ['finished', outcome?.at, `${outcome?.state ?? ''}: ${outcome?.reason ?? ''}`],
    ['announced', announced, 'the completion event is on the bus'],
    ['clean', record.attempts.at(-1)?.removalVerifiedAt, 'nothing of the cluster is left'],
  ];
  return entries.flatMap(([stage, at, note]) => (at === undefined ? [] : [{ stage, at, since: at - from, note }]));
}

function attemptEntries({ number, clusterId, jobId, ...attempt }: Attempt): readonly Entry[] {
  const again = number === 1 ? '' : `attempt ${number}, `;
  return [
    ['launching', attempt.launchedAt, `${again}cluster ${clusterId}`],
    ['starting', attempt.createdAt, `${again}its objects are on Kubernetes`],
    ['running', attempt.runningAt, `${again}job ${jobId}`],
  ];
}
