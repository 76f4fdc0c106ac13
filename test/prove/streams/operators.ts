import type { PlanNode } from '../../../lib/flink/plan/operators.ts';

/** An argument by which a program lacks an operator that the others have. */
export const WITHOUT = 'without';

/** Of all programs, and in all snapshots. */
export const OPERATORS = ['1'.repeat(32), '2'.repeat(32)] as const;

export function planOf(args: readonly string[] = []): readonly PlanNode[] {
  const ids = args.includes(WITHOUT) ? OPERATORS.slice(0, 1) : OPERATORS;
  return ids.map((id) => ({ id, description: `operator ${id[0] ?? ''}`, inputs: [] }));
}
