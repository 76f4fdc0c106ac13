import type { Finding } from '../cluster/findings.ts';
import { findInLog } from '../cluster/log-findings.ts';
import { lostWorkerIn, tellsOfTaskManagers } from '../cluster/lost-workers.ts';
import type { Reason } from '../core/reasons.ts';
import type { JobResult } from '../flink/job-manager.ts';

/** What else there is to say about a job that ended. */
export interface Told {
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
const REFUSALS: readonly Reason[] = ['TaskManagerOutOfMemory', 'QuotaExceeded', 'ServiceAccountForbidden'];

/** Why a job failed that did nothing wrong: its TaskManagers are gone, or never came. */
export function causeInTaskManagers({ result, finding, log }: Told): Cause | undefined {
  const found = finding?.component === 'taskmanager' ? finding : undefined;
  const root = result?.rootException?.message ?? '';
  const told = tellsOfTaskManagers(root);
  if (told === undefined) return found?.reason === 'TaskManagerOutOfMemory' ? found : undefined;
  const cause = found ?? lostWorkerIn(log) ?? refusalIn(log);
  if (cause !== undefined || told === 'missing') return cause;
  return { reason: 'TaskManagerCrashed', message: `The job lost a TaskManager: ${firstLine(root)}`, evidence: [] };
}

function refusalIn(log: string): Cause | undefined {
  const logged = findInLog(log);
  return logged !== undefined && REFUSALS.includes(logged.reason) ? logged : undefined;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
