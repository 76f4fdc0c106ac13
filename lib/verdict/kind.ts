import { hasSavepointDirectory } from '../job/state-plan.ts';
import { currentAttempt } from '../run/machine.ts';
import type { HasAttempt, RunRecord } from '../run/record.ts';

/**
 * Whether the job cannot end by itself. The spec says so, and Flink may say better: a job of type BATCH has an end, for
 * StreamGraphGenerator refuses an unbounded source in batch mode. STREAMING proves nothing, because a bounded job has that
 * type too unless execution.runtime-mode says otherwise; so no job is called endless against its spec, and none runs twice.
 */
export function isEndless(record: HasAttempt): boolean {
  return record.job.kind === 'streaming' && currentAttempt(record).runtime?.type !== 'BATCH';
}

/**
 * Whether Flink says that the job has no end: where its options leave the choice to it, it runs in streaming mode only what
 * has a source without an end.
 */
export function isUnbounded(record: HasAttempt): boolean {
  const mode = record.job.options['execution.runtime-mode'];
  return mode?.toUpperCase() === 'AUTOMATIC' && currentAttempt(record).runtime?.type === 'STREAMING';
}

/** Whether it may have none: a stream with periodic checkpoints, where nobody said in which mode Flink is to run it. */
export function maybeUnbounded(record: HasAttempt): boolean {
  const { type, checkpointInterval } = currentAttempt(record).runtime ?? {};
  const isSaid = record.job.options['execution.runtime-mode'] !== undefined;
  return isUnbounded(record) || (!isSaid && type === 'STREAMING' && checkpointInterval !== undefined);
}

/** What its record notes of a plain run that may have no end, or has none: what becomes of its state, and what to set. */
export function streamNote(record: HasAttempt & Pick<RunRecord, 'source'>): string | undefined {
  const { job, source } = record;
  if (job.state !== undefined || job.mode === 'session' || !maybeUnbounded(record)) return undefined;
  const why = isUnbounded(record) ? 'and has a source without an end' : 'and it may have no end';
  const takes = source.kind === 'jar-upload' && hasSavepointDirectory(job);
  const then = takes ? 'takes its place, with a savepoint' : 'runs beside it';
  const set = 'job.kind: streaming, and a directory for savepoints, have its state kept';
  return `Flink runs it as a stream, ${why}: the next version ${then}; ${set}`;
}

/** What a verdict adds that took the job for one with an end, although it looks like one without. */
export function looksEndless(record: HasAttempt): string {
  const { type, checkpointInterval: interval } = currentAttempt(record).runtime ?? {};
  if (record.job.kind === 'streaming' || type !== 'STREAMING' || interval === undefined) return '';
  return `; Flink runs it as a stream with a checkpoint every ${interval / 1000} s: if it has no end, its spec lacks job.kind: streaming`;
}
