import * as z from 'zod';
import type { Instant } from '../../core/clock.ts';
import { isRecord, jsonOf } from '../../core/json.ts';
import { redactJson } from '../../core/redaction/redact.ts';
import type { JobAnswers } from '../job-history.ts';
import { detailsPath, OVERVIEW } from './paths.ts';

/*
 * The file that Flink's HistoryServer takes for one job, as its FsJobArchivist writes it: REST answers, each as a text, by
 * their path. The HistoryServer of 1.20 and 2.3 reads it alike.
 */

/** Of one answer, and of all. What has no room is left out, and the page that needs it stays empty. */
const MAX_ANSWER = 1024 * 1024;
const MAX_ARCHIVE = 4 * 1024 * 1024;

/** The answers by path, each a text; an archive without its job is none. */
export type Archive = ReadonlyMap<string, string>;

/** How a job ended that its JobManager does not tell of. */
export interface JobEnd {
  readonly state: 'FINISHED' | 'FAILED' | 'CANCELED';
  readonly at: Instant;
  readonly exception?: { readonly message: string; readonly stackTrace: string };
}

/** Undefined where the answers do not tell of the job. Secrets are hidden in all of it. */
export function archiveOf(jobId: string, answers: JobAnswers): Archive | undefined {
  const details = answers[detailsPath(jobId)];
  if (!isRecord(details)) return undefined;
  const archive = new Map<string, string>();
  let room = MAX_ARCHIVE;
  const told = { ...answers, [OVERVIEW]: { jobs: [summaryOf(jobId, answers[OVERVIEW], details)] } };
  const plan = details['plan'] === undefined ? {} : { [`${detailsPath(jobId)}/plan`]: { plan: details['plan'] } };
  for (const [path, answer] of Object.entries({ ...told, ...plan })) {
    const json = JSON.stringify(redactJson(answer));
    if (json.length > Math.min(MAX_ANSWER, room)) continue;
    room -= json.length;
    archive.set(path, json);
  }
  return archive.has(detailsPath(jobId)) ? archive : undefined;
}

/** JobDetails: a HistoryServer of 1.20 lists no job at all when one has a field more, as those of 2.x have. */
const SUMMARY = ['jid', 'name', 'start-time', 'end-time', 'duration', 'state', 'last-modification', 'tasks'];
const TASKS = 'running canceling canceled created scheduled deploying reconciling finished initializing failed'.split(
  ' ',
);

function summaryOf(jobId: string, overview: unknown, details: Record<string, unknown>): Record<string, unknown> {
  const listed = jobsIn(overview).find((job) => job['jid'] === jobId);
  const tasks = Object.fromEntries(['total', ...TASKS].map((state) => [state, 0]));
  const told: Record<string, unknown> = listed ?? { ...details, 'last-modification': details['end-time'], tasks };
  return Object.fromEntries(SUMMARY.map((field) => [field, told[field]]));
}

function jobsIn(overview: unknown): readonly Record<string, unknown>[] {
  const jobs: unknown = isRecord(overview) ? overview['jobs'] : undefined;
  return Array.isArray(jobs) ? jobs.filter(isRecord) : [];
}

export function writeArchive(archive: Archive): string {
  return JSON.stringify({ archive: [...archive].map(([path, json]) => ({ path, json })) });
}

const stored = z.object({ archive: z.array(z.object({ path: z.string(), json: z.string() })) });

/** Undefined for a text that is no archive. */
export function readArchive(text: string): Archive | undefined {
  const parsed = stored.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  return new Map(parsed.data.archive.map(({ path, json }) => [path, json]));
}

/** With the end in it that its JobManager did not come to tell; as it is where it did. */
export function withEnd(jobId: string, archive: Archive, end: JobEnd): Archive {
  const path = detailsPath(jobId);
  const details = jsonOf(archive.get(path) ?? '');
  if (!isRecord(details) || isTerminal(details['state'])) return archive;
  const changed = new Map(archive);
  const { timestamps } = details;
  const times = isRecord(timestamps) ? { timestamps: { ...timestamps, [end.state]: end.at } } : {};
  changed.set(path, JSON.stringify({ ...ended(details, end), ...times }));
  const jobs = jobsIn(jsonOf(archive.get(OVERVIEW) ?? ''));
  changed.set(
    OVERVIEW,
    JSON.stringify({ jobs: jobs.map((job) => ({ ...ended(job, end), 'last-modification': end.at })) }),
  );
  if (end.exception !== undefined) addException(`${path}/exceptions`, changed, end);
  return changed;
}

function isTerminal(state: unknown): boolean {
  return state === 'FINISHED' || state === 'FAILED' || state === 'CANCELED';
}

function ended(job: Record<string, unknown>, { state, at }: JobEnd): Record<string, unknown> {
  const start = Number(job['start-time']);
  return { ...job, state, 'end-time': at, duration: Number.isFinite(start) ? Math.max(0, at - start) : 0 };
}

/** As JobExceptionsInfoWithHistory has it: the newest first. */
function addException(path: string, archive: Map<string, string>, { exception, at }: JobEnd): void {
  const had = jsonOf(archive.get(path) ?? '');
  const known = isRecord(had) ? had : {};
  const history = isRecord(known['exceptionHistory']) ? known['exceptionHistory'] : {};
  const entries = Array.isArray(history['entries']) ? (history['entries'] as unknown[]) : [];
  const told = redactJson({ name: exception?.message ?? '', stack: exception?.stackTrace ?? '' });
  const entry = { exceptionName: told.name, stacktrace: told.stack, timestamp: at, concurrentExceptions: [] };
  const exceptionHistory = { truncated: false, ...history, entries: [entry, ...entries] };
  const first = 'root-exception' in known || had === undefined ? { 'root-exception': told.stack, timestamp: at } : {};
  archive.set(path, JSON.stringify({ 'all-exceptions': [], truncated: false, ...known, ...first, exceptionHistory }));
}
