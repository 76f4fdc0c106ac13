import type { Instant } from '../core/clock.ts';
import { isEnded } from '../run/machine.ts';
import type { RunRecord } from '../run/record.ts';
import { isUnheard, POLL, TRANSITION, type Decision } from './decision.ts';
import { handOver, isFenced, isReady, type OtherRuns, type Preparation } from './prepare.ts';
import type { DeploymentRecord, DeploymentRun, Generation, NextRun } from './record.ts';

/** The next run takes the place of the one that has ended, once that can write no more; undefined: not yet, or not at all. */
export function handingOver(
  record: DeploymentRecord,
  {
    run,
    wanted,
    others,
    now,
  }: { readonly run: RunRecord; readonly wanted: Generation; readonly others: OtherRuns; readonly now: Instant },
): Decision | undefined {
  if (!isOver(run) || !isReady(record, wanted, others.next)) return undefined;
  const handed = handOver(record, run, wanted, now);
  return handed?.run === undefined ? undefined : permitting(handed, handed.run, now);
}

function isOver(run: RunRecord): boolean {
  return run.state === 'closed' || isFenced(run);
}

export function permitting(record: DeploymentRecord, run: DeploymentRun, now: Instant): Decision {
  return { record, effects: [{ kind: 'permit-run', run }], dueAt: now + TRANSITION };
}

/** Until the next run is ready, or has ended. `known`: of the one that was next, which this one may have followed. */
export function preparing(
  record: DeploymentRecord,
  next: NextRun,
  known: RunRecord | undefined,
  now: Instant,
): Decision {
  const run = known?.runId === next.id ? known : undefined;
  const dueAt = Math.max(now + POLL, Math.min(next.until, now + TRANSITION));
  if (next.dropped === true) {
    const asked = run !== undefined && (run.cancelRequested !== undefined || isEnded(run.state));
    return { record, effects: asked ? [] : [{ kind: 'drop-run', next }], dueAt };
  }
  if (run?.prepared?.readyAt !== undefined) return { record, effects: [{ kind: 'check-state', next }], dueAt };
  const heard = run !== undefined && !isUnheard(run, now);
  return { record, effects: heard ? [] : [{ kind: 'prepare-run', next }], dueAt };
}

/** Its cluster could not be made ready, and the job that runs was never touched. */
export function withChoices(failed: Extract<Preparation, { kind: 'failed' }>) {
  const { reason, message } = failed;
  if (failed.choices !== undefined) return { reason, message, choices: failed.choices };
  const choices = [
    'a corrected job',
    'job.prepareUpgrade: false, to end the job that runs before the next one is made',
  ];
  return { reason, message: `The next run could not be prepared: ${message}`, choices };
}
