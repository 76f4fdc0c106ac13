import { isRecord } from '../core/json.ts';
import type { JobResult, JobSummary } from './job-manager.ts';
import { restPath } from './rest/transport.ts';

/** Whether what a JobManager says of a job that has ended is of its end; true where it gave no answer at all. */
export function agreesWith({ id, state }: JobSummary, { answers, rootException }: JobResult): boolean {
  const detail = answers[restPath('jobs', id)];
  if (!isRecord(detail)) return true;
  if (state === 'FAILED' && rootException === undefined) return false;
  return detail['state'] === undefined || detail['state'] === state;
}
