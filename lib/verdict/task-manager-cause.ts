import type { Finding } from '../diagnosis/findings.ts';
import { findInLog } from '../diagnosis/log-findings.ts';
import { tellsOfTaskManagers } from '../diagnosis/flink-log/exceptions.ts';
import { mostSpecific } from '../diagnosis/specificity.ts';
import { lostWorkerIn } from '../diagnosis/task-manager-loss.ts';
import type { Reason } from '../core/reasons.ts';
import type { JobResult } from '../flink/job-manager.ts';
import { firstLine } from './facts.ts';

/** What else there is to say about a job that ended. */
export interface EndEvidence {
  readonly result: JobResult | undefined;
  readonly finding: Finding | undefined;
  /** The end of the JobManager's log, or nothing. */
  readonly log: string;
}

export interface Cause {
  readonly reason: Reason;
  readonly message: string;
  readonly evidence: readonly string[];
}

/** What the log of a JobManager says of TaskManagers that do not come. */
const REFUSALS: readonly Reason[] = [
  'TaskManagerOutOfMemory',
  'PodEvicted',
  'QuotaExceeded',
  'ServiceAccountForbidden',
];

/** Why a job failed that did nothing wrong: its TaskManagers are gone, or never came. */
export function causeInTaskManagers({ result, finding, log }: EndEvidence): Cause | undefined {
  const found = finding?.component === 'taskmanager' ? finding : undefined;
  const root = result?.rootException?.message ?? '';
  const told = tellsOfTaskManagers(root);
  if (told === undefined) return found?.reason === 'TaskManagerOutOfMemory' ? found : undefined;
  const cause = mostSpecific<Cause>(found, lostWorkerIn(log), refusalIn(log));
  if (cause !== undefined || told === 'missing') return cause;
  return { reason: 'TaskManagerCrashed', message: `The job lost a TaskManager: ${firstLine(root)}`, evidence: [] };
}

function refusalIn(log: string): Cause | undefined {
  const logged = findInLog(log);
  return logged !== undefined && REFUSALS.includes(logged.reason) ? logged : undefined;
}
