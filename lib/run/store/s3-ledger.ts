import type { RunId } from '../../core/ids.ts';
import { keptRecord } from '../retention/kept-record.ts';
import { parseRecord } from '../record-schema.ts';
import { recordKey, type RunRecord } from '../record.ts';
import type { Ledger, Versioned } from './ledger.ts';
import { mark, show, unmark } from './s3-live-runs.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';
import { keepRow } from './s3-run-index.ts';

/**
 * The ledger on S3: `runs/<runId>/record.json`, and a marker in `live/` for each run that is not closed. The
 * marker is written before the record and removed after the record is closed, so a live run always has one. The row of a
 * closed run is in the index before its marker goes.
 */
export function createS3Ledger(bucket: Bucket): Ledger {
  return {
    create: (record) => create(bucket, record),
    read: (runId) => read(bucket, runId),
    replace: (record, version, before) => replace(bucket, record, version, before),
  };
}

async function create(bucket: Bucket, given: RunRecord): ReturnType<Ledger['create']> {
  const record = keptRecord(given);
  await mark(bucket, record);
  for (;;) {
    const version = await putIf(bucket, recordKey(record.runId), JSON.stringify(record), 'absent');
    if (version !== undefined) {
      await show(bucket, record);
      return { kind: 'created', value: record, version };
    }
    const stored = await read(bucket, record.runId);
    if (stored === undefined) continue;
    if (stored.value.state === 'closed') await close(bucket, stored.value);
    return { kind: 'exists', ...stored };
  }
}

async function read(bucket: Bucket, runId: RunId): Promise<Versioned<RunRecord> | undefined> {
  const stored = await getText(bucket, recordKey(runId));
  return stored === undefined ? undefined : { value: parseRecord(stored.text), version: stored.eTag };
}

async function replace(
  bucket: Bucket,
  given: RunRecord,
  version: string,
  before?: RunRecord,
): Promise<Versioned<RunRecord> | undefined> {
  const record = keptRecord(given);
  const next = await putIf(bucket, recordKey(record.runId), JSON.stringify(record), { eTag: version });
  if (next === undefined) return undefined;
  if (record.state === 'closed') await close(bucket, record, before);
  else if (before !== undefined) await show(bucket, record, before);
  return { value: record, version: next };
}

async function close(bucket: Bucket, record: RunRecord, before?: RunRecord): Promise<void> {
  await keepRow(bucket, record);
  await unmark(bucket, record, before);
}
