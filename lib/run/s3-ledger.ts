import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { fromAwsError } from '../core/aws-error.ts';
import { isRunId, type RunId } from '../core/ids.ts';
import { parseRecord } from './record-schema.ts';
import { recordKey, type RunRecord } from './record.ts';
import type { Ledger, Versioned } from './ledger.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';

const LIVE = 'live/';

/**
 * The ledger on S3: `runs/<runId>/record.json`, and a marker `live/<runId>` for each run that is not closed. The
 * marker is written before the record and removed after the record is closed, so a live run always has one; one that a
 * crash left behind goes when the closed record is replaced by itself.
 */
export function createS3Ledger(bucket: Bucket): Ledger {
  return {
    create: (record) => create(bucket, record),
    read: (runId) => read(bucket, runId),
    replace: (record, version) => replace(bucket, record, version),
    live: (page) => live(bucket, page),
  };
}

async function create(bucket: Bucket, record: RunRecord): ReturnType<Ledger['create']> {
  await mark(bucket, record.runId);
  for (;;) {
    const version = await putIf(bucket, recordKey(record.runId), JSON.stringify(record), 'absent');
    if (version !== undefined) return { kind: 'created', value: record, version };
    const stored = await read(bucket, record.runId);
    if (stored === undefined) continue;
    if (stored.value.state === 'closed') await unmark(bucket, record.runId);
    return { kind: 'exists', ...stored };
  }
}

async function read(bucket: Bucket, runId: RunId): Promise<Versioned<RunRecord> | undefined> {
  const stored = await getText(bucket, recordKey(runId));
  return stored === undefined ? undefined : { value: parseRecord(stored.text), version: stored.eTag };
}

async function replace(bucket: Bucket, record: RunRecord, version: string): Promise<Versioned<RunRecord> | undefined> {
  const next = await putIf(bucket, recordKey(record.runId), JSON.stringify(record), { eTag: version });
  if (next === undefined) return undefined;
  if (record.state === 'closed') await unmark(bucket, record.runId);
  return { value: record, version: next };
}

async function mark({ s3, bucket }: Bucket, runId: RunId): Promise<void> {
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: LIVE + runId, Body: runId }));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${LIVE}${runId}` });
  }
}

async function unmark({ s3, bucket }: Bucket, runId: RunId): Promise<void> {
  try {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: LIVE + runId }));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:DeleteObject', resource: `s3://${bucket}/${LIVE}${runId}` });
  }
}

/** In the order of the ids; S3 lists 1000 at a time. */
async function live(bucket: Bucket, page: { readonly after?: string; readonly limit: number }): Promise<RunId[]> {
  const found: RunId[] = [];
  let after = page.after;
  while (found.length < page.limit) {
    const keys = await listLive(bucket, after, Math.min(1000, page.limit - found.length));
    found.push(...keys.map((key) => key.slice(LIVE.length)).filter(isRunId));
    after = keys.at(-1)?.slice(LIVE.length);
    if (after === undefined) break;
  }
  return found;
}

async function listLive({ s3, bucket }: Bucket, after: string | undefined, count: number): Promise<string[]> {
  const from = after === undefined ? {} : { StartAfter: LIVE + after };
  try {
    const input = { Bucket: bucket, Prefix: LIVE, MaxKeys: count, ...from };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(input));
    return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}` });
  }
}
