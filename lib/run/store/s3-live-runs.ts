import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, type _Object } from '@aws-sdk/client-s3';
import { awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import { isRunId } from '../../core/ids.ts';
import { isRecord } from '../../core/json.ts';
import type { RunRecord } from '../record.ts';
import type { LivePage, LiveRun, LiveRuns, SweepCursors } from './live-runs.ts';
import { getText, type Bucket } from './s3-objects.ts';

const LIVE = 'live/';
const PLACE = 'runs/sweep-place.json';

type Marked = Pick<RunRecord, 'runId' | 'tenant'>;

function placeOf({ runId, tenant }: Marked): string {
  return tenant === undefined ? runId : `${tenant}/${runId}`;
}

/** Markers on S3: `live/<runId>`, of a tenant's runs `live/<tenant>/<runId>`. */
export function createS3LiveRuns(bucket: Bucket): LiveRuns {
  return {
    list: (page) => list(bucket, page),
    forget: ({ place, version }) => remove(bucket, place, version),
  };
}

/** Each marker is another object than the one before it, so that taking an old one away spares a new one. */
export async function mark({ s3, bucket }: Bucket, run: Marked): Promise<void> {
  const place = placeOf(run);
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: LIVE + place, Body: randomUUID() }));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${LIVE}${place}` });
  }
}

/** Of a run that is closed, for good. */
export function unmark(bucket: Bucket, run: Marked): Promise<void> {
  return remove(bucket, placeOf(run), undefined);
}

async function remove({ s3, bucket }: Bucket, place: string, version: string | undefined): Promise<void> {
  const condition = defined({ IfMatch: version });
  try {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: LIVE + place, ...condition }));
  } catch (error) {
    // 412: marked anew. 409: at this moment. 404: gone already.
    if (version !== undefined && [404, 409, 412].includes(awsStatus(error) ?? 0)) return;
    throw fromAwsError(error, { action: 's3:DeleteObject', resource: `s3://${bucket}/${LIVE}${place}` });
  }
}

/** S3 lists 1000 at a time. */
async function list(bucket: Bucket, page: LivePage): Promise<LiveRun[]> {
  const prefix = page.tenant === undefined ? LIVE : `${LIVE}${page.tenant}/`;
  const found: LiveRun[] = [];
  let after = page.after;
  while (found.length < page.limit) {
    const objects = await listLive(bucket, prefix, { after, limit: Math.min(1000, page.limit - found.length) });
    found.push(...objects.flatMap(markerOf));
    after = objects.at(-1)?.Key?.slice(LIVE.length);
    if (after === undefined) break;
  }
  return found;
}

function markerOf({ Key = '', ETag = '', LastModified }: _Object): LiveRun[] {
  const place = Key.slice(LIVE.length);
  const runId = place.slice(place.lastIndexOf('/') + 1);
  return isRunId(runId) ? [{ runId, place, markedAt: LastModified?.getTime() ?? Infinity, version: ETag }] : [];
}

async function listLive(
  { s3, bucket }: Bucket,
  prefix: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<_Object[]> {
  const from = after === undefined ? {} : { StartAfter: LIVE + after };
  try {
    const input = { Bucket: bucket, Prefix: prefix, MaxKeys: limit, ...from };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(input));
    return Contents;
  } catch (error) {
    throw fromAwsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}` });
  }
}

/** The place on S3. What cannot be read as one is none. */
export function createS3SweepPlaces(bucket: Bucket): SweepCursors {
  return {
    async read() {
      const stored = await getText(bucket, PLACE);
      const place = stored === undefined ? undefined : parse(stored.text);
      const text = (field: string): string | undefined => {
        const value = isRecord(place) ? place[field] : undefined;
        return typeof value === 'string' ? value : undefined;
      };
      const [run, deployment, cluster] = [text('run'), text('deployment'), text('cluster')];
      return defined({ run, deployment, cluster });
    },
    async write(place) {
      const { s3, bucket: name } = bucket;
      const input = { Bucket: name, Key: PLACE, Body: JSON.stringify(place), ContentType: 'application/json' };
      try {
        await s3.send(new PutObjectCommand(input));
      } catch (error) {
        throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${name}/${PLACE}` });
      }
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
