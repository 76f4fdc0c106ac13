import type { Duration } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import type { RunRecord } from './record.ts';

/** Of its periodic checkpoints; undefined where it takes none. What Flink says of the job counts before what its options say. */
export function checkpointInterval({ attempts, job }: RunRecord): Duration | undefined {
  const runtime = attempts.at(-1)?.runtime;
  if (runtime?.type !== undefined) return runtime.checkpointInterval;
  return parseDuration(job?.options['execution.checkpointing.interval'] ?? '');
}
