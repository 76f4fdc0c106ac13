import type { Finding } from './finding.ts';
import { readLog } from './flink-log/read-log.ts';
import { workerLosses } from './flink-log/worker-losses.ts';
import { specificity } from './specificity.ts';

/**
 * The TaskManager whose loss the JobManager's log explains best, and of several the last one. Flink deletes the pod of a
 * TaskManager that has died at once, so nothing else tells.
 */
export function lostWorkerIn(log: string): Pick<Finding, 'reason' | 'message' | 'evidence'> | undefined {
  const losses = readLog(log).flatMap(({ text }) => workerLosses(text));
  const best = Math.min(...losses.map(({ reason }) => specificity(reason)));
  const loss = losses.findLast(({ reason }) => specificity(reason) === best);
  if (loss === undefined) return undefined;
  return { reason: loss.reason, message: loss.message, evidence: [`log: ${loss.line}`] };
}
