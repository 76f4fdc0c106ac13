import { PutObjectCommand, type _Object } from '@aws-sdk/client-s3';
import { fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import { isRunId } from '../../core/ids.ts';
import { isRecord, jsonOf } from '../../core/json.ts';
import type { RunRecord } from '../record.ts';
import { rowOf, rowText } from '../row.ts';
import type { LivePage, LiveRun, LiveRuns, SweepCursors } from './live-runs.ts';
import { markOf, pageOfMarkers, putEmpty, putMarker, removeMarker } from './s3-markers.ts';
import { getText, type Bucket } from './s3-objects.ts';

const LIVE = 'live/';
const PLACE = 'runs/sweep-place.json';

type Marked = Pick<RunRecord, 'runId' | 'tenant'>;

function placeOf({ runId, tenant }: Marked): string {
  return tenant === undefined ? runId : `${tenant}/${runId}`;
}

/**
 * Markers on S3: `live/<runId>`, of a tenant's runs `live/<tenant>/<runId>`; and behind each, `live/…<runId>~<row>`, an empty
 * object whose key says what the run has become. Not below it: some servers of S3 keep objects as files.
 */
export function createS3LiveRuns(bucket: Bucket): LiveRuns {
  return {
    list: (page) => list(bucket, page),
    async forget({ place, version, rows }) {
      if (version !== undefined) await removeMarker(bucket, LIVE + place, version);
      await removeRows(bucket, place, rows);
    },
    async mend({ place, rows }, record) {
      const wanted = rowText(rowOf(record));
      const isThere = rows.includes(wanted);
      if (isThere && rows.length === 1) return false;
      if (!isThere) await putEmpty(bucket, `${LIVE}${place}~${wanted}`);
      await removeRows(
        bucket,
        place,
        rows.filter((row) => row !== wanted),
      );
      return true;
    },
  };
}

async function removeRows(bucket: Bucket, place: string, rows: readonly string[]): Promise<void> {
  await Promise.all(rows.map((row) => removeMarker(bucket, `${LIVE}${place}~${row}`)));
}

export function mark(bucket: Bucket, run: Marked): Promise<void> {
  return putMarker(bucket, LIVE + placeOf(run));
}

/** Of a run that is closed, for good; `before`: as it was shown last. */
export async function unmark(bucket: Bucket, run: Marked, before?: RunRecord): Promise<void> {
  const place = placeOf(run);
  if (before !== undefined) await removeRows(bucket, place, [rowText(rowOf(before))]);
  await removeMarker(bucket, LIVE + place);
}

/**
 * Shows what a run that is not closed has become. Nothing depends on it: what fails here is mended by the sweeper.
 * `before`: as it was shown last; absent: it is new.
 */
export async function show(bucket: Bucket, record: RunRecord, before?: RunRecord): Promise<void> {
  const [place, row, last] = [placeOf(record), rowText(rowOf(record)), before && rowText(rowOf(before))];
  if (row === last) return;
  const changes = [
    putEmpty(bucket, `${LIVE}${place}~${row}`),
    removeRows(bucket, place, last === undefined ? [] : [last]),
  ];
  await Promise.allSettled(changes);
}

async function list(bucket: Bucket, page: LivePage): Promise<LiveRun[]> {
  const prefix = page.tenant === undefined ? LIVE : `${LIVE}${page.tenant}/`;
  const found = new Map<string, LiveRun>();
  let after = page.after === undefined ? undefined : LIVE + behind(page.after);
  // One more than asked for: the rows of the last one may be on the next page.
  for (let hasMore = true; hasMore && found.size <= page.limit;) {
    const listed = await pageOfMarkers(bucket, prefix, { after, limit: 3 * (page.limit - found.size + 1) });
    for (const object of listed.objects) add(found, object);
    after = listed.objects.at(-1)?.Key;
    hasMore = listed.hasMore && after !== undefined;
  }
  return [...found.values()].slice(0, page.limit);
}

/** After all rows of that place, which begin with a digit, and before any other place. */
function behind(place: string): string {
  return `${place}~~`;
}

function add(found: Map<string, LiveRun>, object: _Object): void {
  const [place = '', ...rest] = (object.Key ?? '').slice(LIVE.length).split('~');
  const runId = place.slice(place.lastIndexOf('/') + 1);
  if (!isRunId(runId)) return;
  const { markedAt, version } = markOf(object);
  const row = rest.length === 0 ? undefined : rest.join('~');
  const known = found.get(place) ?? { runId, place, markedAt, rows: [] };
  found.set(place, row === undefined ? { ...known, markedAt, version } : { ...known, rows: [...known.rows, row] });
}

/** The place on S3. What cannot be read as one is none. */
export function createS3SweepPlaces(bucket: Bucket): SweepCursors {
  return {
    async read() {
      const stored = await getText(bucket, PLACE);
      const place = stored === undefined ? undefined : jsonOf(stored.text);
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
