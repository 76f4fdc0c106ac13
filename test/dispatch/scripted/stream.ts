import type { Duration } from '../../../lib/core/clock.ts';
import { deploymentIdFor, type RunId } from '../../../lib/core/ids.ts';
import type { StatePlan } from '../../../lib/job/job.ts';
import { currentAttempt, hasAttempt } from '../../../lib/run/machine.ts';
import type { Attempt, RunRecord } from '../../../lib/run/record.ts';
import type { Snapshot } from '../../../lib/state/snapshot.ts';
import { jobMessage } from '../world/simulated.ts';
import type { World } from './world.ts';

export const SAVEPOINTS = 's3://state/savepoints';
export const CHECKPOINTS = 's3://state/checkpoints';
export const STREAM_FOREVER = { restAfter: 600, runsAfter: 1100 };

const PLAN: StatePlan = {
  upgradeMode: 'savepoint',
  fallback: 'none',
  format: 'CANONICAL',
  savepointDeadline: 60_000,
  savepointDirectory: SAVEPOINTS,
  checkpointDirectory: CHECKPOINTS,
  probation: 60_000,
  rollback: 'automatic',
  history: { count: 5, age: 1_000_000 },
};

export interface StreamOptions {
  readonly plan?: Partial<StatePlan>;
  readonly attempts?: number;
  readonly startFrom?: Snapshot;
}

/** A run of a stream, as its deployment makes one. */
export async function streamRun(world: World, { plan, attempts = 1, startFrom }: StreamOptions = {}): Promise<RunId> {
  const { runId } = await world.request(jobMessage({ retry: { attempts, backoff: '1s' } }));
  const stored = await world.ledger.read(runId);
  if (stored?.value.state !== 'accepted') throw new Error('not accepted');
  const { value, version } = stored;
  const id = deploymentIdFor({ tenant: undefined, target: 't', namespace: 'n', name: 'stream' });
  await world.ledger.replace(
    {
      ...value,
      job: { ...value.job, kind: 'streaming', state: { ...PLAN, ...plan } },
      deployment: { id, generation: 1 },
      ...(startFrom && { startFrom }),
    },
    version,
  );
  return runId;
}

export function attemptOf(world: World, runId: RunId): Attempt {
  const run = world.record(runId);
  if (!hasAttempt(run)) throw new Error('no attempt');
  return currentAttempt(run);
}

/** Until it runs, and a while longer. */
export async function running(world: World, runId: RunId, ms: Duration = 10_000): Promise<RunRecord> {
  await world.drainFor(ms);
  const run = world.record(runId);
  if (run.state !== 'running') throw new Error(`the run is ${run.state}`);
  return run;
}

/** A checkpoint of its job, now; answers its path. */
export function checkpointNow(world: World, runId: RunId): string {
  return world.flink.streams.checkpoint(attemptOf(world, runId).clusterId, CHECKPOINTS);
}
