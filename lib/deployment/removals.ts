import type { DeploymentEffect } from './decision.ts';
import { isBelow } from '../state/storage.ts';
import { ownDirectory } from './history.ts';
import type { DeploymentRecord } from './record.ts';

/** Of what is marked as to be deleted, and of what no run can write any more. */
export function removals(record: DeploymentRecord): DeploymentEffect[] {
  const { snapshots, leftovers, run, newest, stable } = record;
  const kept = snapshots.filter(({ deletingAt }) => deletingAt === undefined).map(({ snapshot }) => snapshot);
  const needed = [newest, stable?.left, run?.startFrom, ...kept];
  return [
    ...snapshots
      .filter(({ deletingAt }) => deletingAt !== undefined)
      .map(({ ordinal, snapshot }) => ({
        kind: 'remove-snapshot' as const,
        ordinal,
        directory: ownDirectory(record, snapshot),
      })),
    ...leftovers
      .filter((left) => left.run !== run?.id && left.run !== record.leaving?.id)
      // What came to nothing for all that was heard of it can be complete.
      .filter(({ directory }) => !needed.some((snapshot) => snapshot && isBelow(snapshot.path, directory)))
      .map(({ directory }) => ({ kind: 'remove-leftover' as const, directory })),
  ];
}
