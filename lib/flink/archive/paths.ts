import { isRecord } from '../../core/json.ts';
import type { JobAnswers } from '../job-history.ts';

/** Of all jobs; in an archive of the one alone. */
export const OVERVIEW = '/jobs/overview';
/** A job with more shows them without their subtasks. */
const MOST_VERTICES = 25;
const MOST_CHECKPOINTS = 5;

/** Flink's own ids: a program that is asked in its JobManager's place could answer with a path. */
function isFlinkJobId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id);
}

/** The job itself. @throws Error for what is no id of a job */
export function detailsPath(jobId: string): string {
  if (!isFlinkJobId(jobId)) throw new Error(`'${jobId.slice(0, 80)}' is no id of a job`);
  return `/jobs/${jobId}`;
}

/** What JsonArchivists of Flink keep of each job, the most telling first. */
export function jobPaths(jobId: string): readonly string[] {
  const parts = [
    'exceptions',
    'checkpoints',
    'checkpoints/config',
    'config',
    'accumulators',
    'jobmanager/config',
    'jobmanager/environment',
  ];
  return [detailsPath(jobId), ...parts.map((part) => `${detailsPath(jobId)}/${part}`)];
}

/** What they keep of its vertices and checkpoints, as the first answers tell of these. */
export function furtherPaths(jobId: string, answers: JobAnswers): readonly string[] {
  const job = detailsPath(jobId);
  const vertices = idsIn(answers[job], 'vertices').slice(0, MOST_VERTICES);
  const checkpoints = idsIn(answers[`${job}/checkpoints`], 'history').slice(0, MOST_CHECKPOINTS);
  const parts = ['', '/subtasktimes', '/taskmanagers', '/accumulators', '/subtasks/accumulators'];
  return [
    ...vertices.flatMap((id) => parts.map((part) => `${job}/vertices/${id}${part}`)),
    ...checkpoints.map((id) => `${job}/checkpoints/details/${id}`),
  ];
}

/** Only such as can stand in a path as they are. */
function idsIn(answer: unknown, list: string): readonly string[] {
  const items = isRecord(answer) ? answer[list] : undefined;
  if (!Array.isArray(items)) return [];
  const ids = items.map((item: unknown) => (isRecord(item) ? item['id'] : undefined));
  return ids.flatMap((id) => (/^[0-9a-f]+$/.test(String(id)) ? [String(id)] : []));
}
