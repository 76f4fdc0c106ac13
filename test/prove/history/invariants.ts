import { isRecord, jsonOf } from '../../../lib/core/json.ts';
import { readArchive } from '../../../lib/flink/archive/archive.ts';
import type { Attempt, RunRecord } from '../../../lib/run/record.ts';
import { MOST_SAMPLES } from '../../../lib/run/samples/places.ts';
import { archiveKey } from '../../../lib/run/store/history/archive-store.ts';
import { samplesPrefix } from '../../../lib/run/store/history/sample-store.ts';
import type { Fault } from '../faults.ts';
import { LEDGER } from '../functions.ts';
import type { Check } from '../record-invariants.ts';
import type { MemoryS3 } from '../servers/s3.ts';

/** What keeps a JobManager from being asked once more, or its answer from being written. */
const EXCUSES: ReadonlySet<string> = new Set([
  ...['jobmanager-killed', 'deleted-by-someone', 'pod-evicted', 'killed-after-end', 'rest-silent', 'job-forgotten'],
  ...['rights-gone', 'name-taken', 'frozen', 'stalled'],
]);
const ON_ITS_WAY =
  /(?:^| · )(?:s3 (?:put|get) (?:archive|runs\/[0-9a-f]+\/archive)\/|flink (?:answers|look) |session )/;

/** When all runs are closed: what is on record as archived is there, and tells of an end. */
export function checkHistory(
  check: Check,
  records: readonly RunRecord[],
  { s3, struck }: { readonly s3: MemoryS3; readonly struck: readonly Fault[] },
): void {
  const isExcused = struck.some(({ at, kind }) => EXCUSES.has(kind) || (ON_ITS_WAY.test(at) && !/^crash/.test(kind)));
  for (const record of records) {
    for (const attempt of record.attempts) {
      checkArchive(check, record, attempt, s3);
      checkSamples(check, record, attempt, s3);
    }
    if (!isExcused) checkComplete(check, record);
  }
}

function checkArchive(check: Check, { runId, tenant, name }: RunRecord, attempt: Attempt, s3: MemoryS3): void {
  const { archive, number } = attempt;
  if (archive === undefined) return;
  check('a drafted archive comes to its end', archive.endedAt !== undefined, () => `${name} ${number}`);
  for (const jobId of archive.jobs) {
    const key = archiveKey({ runId, ...(tenant !== undefined && { tenant }), attempt: number, jobId });
    const details = jsonOf(readArchive(s3.text(`${LEDGER}/${key}`) ?? '')?.get(`/jobs/${jobId}`) ?? '');
    const state = isRecord(details) ? details['state'] : 'not there';
    const hasEnded = ['FINISHED', 'FAILED', 'CANCELED'].includes(String(state));
    check('an archive is of a job that has ended', hasEnded, () => `${name} ${number}: ${String(state)}`);
  }
}

/** Whose JobManager told how its jobs ended could be asked for all of them. */
function checkComplete(check: Check, { outcome, attempts, name }: RunRecord): void {
  const last = attempts.at(-1);
  if (outcome?.rule !== 'application-ended' && outcome?.rule !== 'job-terminal') return;
  const told = outcome.jobs?.slice(-5) ?? [];
  const missing = told.filter(({ id }) => last?.archive?.jobs.includes(id) !== true);
  check(
    'what was told of an end is archived',
    missing.length === 0,
    () => `${name}: ${missing.length} of ${told.length}`,
  );
}

function checkSamples(check: Check, { runId, name }: RunRecord, { number }: Attempt, s3: MemoryS3): void {
  const { length } = s3.keys(`${LEDGER}/${samplesPrefix(runId, number)}`);
  check('samples are bounded', length <= MOST_SAMPLES, () => `${name} ${number}: ${length}`);
}
