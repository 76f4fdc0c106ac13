import type { Duration, Instant } from '../core/clock.ts';
import {
  generationOf,
  type DeploymentRecord,
  type DeploymentRun,
  type Generation,
  type StopMode,
  type StopWhy,
} from './record.ts';
import { asksToRedeploy } from './start.ts';

/** What a JobManager told of its checkpoints counts for so long. */
const FRESH: Duration = 60_000;

/** Why the run has to end for what is wanted; undefined when it may go on. */
export function stopCause(record: DeploymentRecord, run: DeploymentRun, wanted: Generation): StopWhy | undefined {
  if (wanted.wish.state === 'deleted') return 'delete';
  if (record.settled?.generation === wanted.number) return undefined;
  if (wanted.wish.state === 'suspended') return 'suspend';
  if (asksToRedeploy(record, wanted) && wanted.wish.initialSavepointPath !== undefined) return 'redeploy';
  if (generationOf(record, run.generation)?.job !== wanted.job) return 'upgrade';
  const { restart } = wanted.wish.nonces;
  return restart !== undefined && restart !== record.done.restart ? 'restart' : undefined;
}

export type StopChoice =
  | StopMode
  /** First its JobManager has to be asked how old its newest checkpoint is. */
  | { readonly mode: 'look' }
  | { readonly mode: 'impossible'; readonly message: string; readonly choices: readonly string[] };

interface Stop {
  readonly run: DeploymentRun;
  readonly wanted: Generation;
  readonly why: StopWhy;
  readonly now: Instant;
}

/** How the run is asked to end, so that its state is kept as the wanted generation says. */
export function stopMode(record: DeploymentRecord, stop: Stop): StopChoice {
  const { run, wanted, why } = stop;
  // What was launched as a run of its own has Flink remove its checkpoints when it is canceled.
  const isKept = run.adopted === undefined;
  const hasCheckpoints = isKept && generationOf(record, run.generation)?.plan.checkpointDirectory !== undefined;
  if (why === 'delete') return { mode: 'cancel' };
  // What it leaves is for the history alone.
  if (why === 'redeploy') return hasCheckpoints ? { mode: 'last-state' } : { mode: 'cancel' };
  const { upgradeMode, fallback } = wanted.plan;
  if (upgradeMode === 'stateless') return { mode: 'cancel' };
  // Without retained checkpoints there is none to fall back to.
  if (!hasCheckpoints) return withSavepoint(record, stop, 'none');
  if (upgradeMode === 'savepoint') return withSavepoint(record, stop, fallback);
  const age = checkpointAge(stop);
  if (age === 'look') return { mode: 'look' };
  return age ? withSavepoint(record, stop, 'last-state') : { mode: 'last-state' };
}

/** Into the directory of the job that runs: a new one is the next job's. */
function withSavepoint(
  record: DeploymentRecord,
  { run, wanted, now }: Stop,
  fallback: 'none' | 'last-state',
): StopChoice {
  if (generationOf(record, run.generation)?.plan.savepointDirectory === undefined) return NO_DIRECTORY;
  const { format, savepointDeadline } = wanted.plan;
  return { mode: 'savepoint', format, until: now + savepointDeadline, fallback };
}

/** Whether the newest checkpoint is older than the plan has it; `look`: nobody has asked lately. */
function checkpointAge({ run, wanted, now }: Stop): boolean | 'look' {
  const { maxCheckpointAge } = wanted.plan;
  const { checkpoints, runningAt, startFrom } = run;
  if (maxCheckpointAge === undefined || runningAt === undefined) return false;
  if (checkpoints === undefined || now - checkpoints.at > FRESH) return 'look';
  return now - (checkpoints.newestAt ?? startFrom?.at ?? runningAt) > maxCheckpointAge;
}

const NO_DIRECTORY: StopChoice = {
  mode: 'impossible',
  message: 'The running job has no directory for a savepoint',
  choices: [
    'job.upgradeMode: last-state, if it has one for checkpoints',
    'job.upgradeMode: stateless, to start with empty state',
  ],
};
