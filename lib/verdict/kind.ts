import { currentAttempt } from '../run/machine.ts';
import type { HasAttempt } from '../run/record.ts';

/**
 * Whether the job cannot end by itself. The spec says so, and Flink may say better: a job of type BATCH has an end, for
 * StreamGraphGenerator refuses an unbounded source in batch mode. STREAMING proves nothing, because a bounded job has that
 * type too unless execution.runtime-mode says otherwise; so no job is called endless against its spec, and none runs twice.
 */
export function isEndless(record: HasAttempt): boolean {
  return record.job.kind === 'streaming' && currentAttempt(record).runtime?.type !== 'BATCH';
}

/** What a verdict adds that took the job for one with an end, although it looks like one without. */
export function looksEndless(record: HasAttempt): string {
  const { type, checkpointInterval: interval } = currentAttempt(record).runtime ?? {};
  if (record.job.kind === 'streaming' || type !== 'STREAMING' || interval === undefined) return '';
  return `; Flink runs it as a stream with a checkpoint every ${interval / 1000} s: if it has no end, its spec lacks job.kind: streaming`;
}
