import type { DeploymentEffect } from './decision.ts';
import { ownDirectory } from './history.ts';
import type { DeploymentRecord } from './record.ts';

/** Of what is marked as to be deleted, and of what no run can write any more. */
export function removals(record: DeploymentRecord): DeploymentEffect[] {
  const { snapshots, leftovers, run } = record;
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
      .map(({ directory }) => ({ kind: 'remove-leftover' as const, directory })),
  ];
}
