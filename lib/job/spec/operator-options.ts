import type { FlinkOptions } from '../job.ts';

/** What the Flink Kubernetes operator and its autoscaler read, and Flink does not. */
const OF_THE_OPERATOR = /^(kubernetes\.operator|job\.autoscaler)\./;

/** Named lists of pod templates are merged by name, whatever it says: an entry never lands in another one's place. */
const MERGE_BY_NAME = 'kubernetes.operator.pod-template.merge-arrays-by-name';

export function withoutOperatorOptions(options: FlinkOptions): FlinkOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !OF_THE_OPERATOR.test(key)));
}

/** A sentence for those that change nothing here. */
export function operatorNotes(options: FlinkOptions = {}): readonly string[] {
  const keys = Object.keys(options).filter((key) => OF_THE_OPERATOR.test(key) && key !== MERGE_BY_NAME);
  if (keys.length === 0) return [];
  const [has, are] = keys.length === 1 ? ['has', 'is an option'] : ['have', 'are options'];
  return [`${keys.join(', ')} ${has} no effect: ${are} of the Flink Kubernetes operator, which a run does without`];
}
