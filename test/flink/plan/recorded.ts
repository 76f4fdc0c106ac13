import type { PlanNode } from '../../../lib/flink/plan/operators.ts';
import { saidBy } from '../../state/metadata/recorded.ts';

interface Plan {
  readonly nodes: readonly {
    readonly id: string;
    readonly description: string;
    readonly inputs?: readonly { readonly id: string }[];
  }[];
}

/** The plans of a job, and the operators in its job graph. */
export function plansOf(flink: string, shape: string) {
  const said = saidBy(flink, `plan-${shape}`) as { chained: Plan; unchained: Plan; operators: readonly string[] };
  return { chained: nodesOf(said.chained), unchained: nodesOf(said.unchained), operators: said.operators };
}

function nodesOf({ nodes }: Plan): readonly PlanNode[] {
  return nodes.map(({ id, description, inputs = [] }) => ({
    id,
    description,
    inputs: inputs.map((input) => input.id),
  }));
}
