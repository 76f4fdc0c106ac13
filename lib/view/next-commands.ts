import type { RunRecord } from '../run/record.ts';

/** What one would do next with a run, as it is typed. */
export function nextCommands({ runId, outcome, attempts, deployment }: RunRecord): readonly string[] {
  const logs = attempts.length === 0 ? [] : [`flink-dispatch logs --run ${runId}`];
  if (outcome !== undefined) return [...logs, `flink-dispatch runs explain ${runId}`];
  const stop = deployment === undefined ? [] : [`flink-dispatch runs stop ${runId}`];
  return [...logs, `flink-dispatch runs wait ${runId}`, ...stop, `flink-dispatch runs cancel ${runId}`];
}
