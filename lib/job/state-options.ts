import type { Snapshot } from '../state/snapshot.ts';
import { flinkRules } from '../flink/version.ts';
import type { FlinkOptions, ResolvedJob } from './job.ts';

/** Under all names that some version has for them. */
const RESTORE = [
  'execution.state-recovery.path',
  'execution.state-recovery.claim-mode',
  'execution.savepoint.path',
  'execution.savepoint-restore-mode',
];
const NUM_RETAINED = ['execution.checkpointing.num-retained', 'state.checkpoints.num-retained'];
/** The newest may be written while the one before it is being read. */
const FEWEST_RETAINED = 2;
/** How long Flink remembers what became of a savepoint; its default is 5 minutes. */
const REMEMBERS = '1 h';

/** A job's options as an attempt has them. What a stream starts from is its deployment's to say, and no option's. */
export function optionsWithState(job: ResolvedJob, restoredFrom: Snapshot | undefined): FlinkOptions {
  const { options, state } = job;
  if (state === undefined) return options;
  const { recoveryKeys, rank } = flinkRules(job.flinkVersion);
  const retained = NUM_RETAINED.map((key) => options[key]).find((value) => value !== undefined);
  const own = Object.entries(options).filter(([key]) => !RESTORE.includes(key) && !NUM_RETAINED.includes(key));
  const asyncKey = 'rest.async.store-duration';
  return {
    ...Object.fromEntries(own),
    [asyncKey]: options[asyncKey] ?? REMEMBERS,
    ...(state.checkpointDirectory === undefined ? {} : retention(rank, retained)),
    // Of a claimed snapshot Flink removes the files, and another attempt has nothing to start from.
    ...(restoredFrom && { [recoveryKeys.path]: restoredFrom.path, [recoveryKeys.claimMode]: 'NO_CLAIM' }),
  };
}

/** Checkpoints outlive the job that is canceled. */
function retention(rank: number, retained: string | undefined): FlinkOptions {
  const key = rank < 120 ? 'state.checkpoints.num-retained' : 'execution.checkpointing.num-retained';
  const wanted = Number(retained ?? FEWEST_RETAINED);
  return {
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    // What is no number is for Flink to refuse.
    [key]: wanted < FEWEST_RETAINED ? String(FEWEST_RETAINED) : (retained ?? String(FEWEST_RETAINED)),
  };
}

/** What an option of recovery says, under the name that it has from 1.20 on or the one before. */
export function recoveryOption(options: FlinkOptions, name: 'path' | 'ignore-unclaimed-state'): string | undefined {
  return options[`execution.state-recovery.${name}`] ?? options[`execution.savepoint.${name}`];
}

/** Whether a job may leave out state of the snapshot that none of its operators has; undefined: its options do not say. */
export function ignoresUnclaimedState(options: FlinkOptions): boolean | undefined {
  const ignores = recoveryOption(options, 'ignore-unclaimed-state');
  return ignores === undefined ? undefined : ignores.toLowerCase() === 'true';
}
