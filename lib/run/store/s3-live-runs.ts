import { PutObjectCommand, type _Object } from '@aws-sdk/client-s3';
import { fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import { isRunId } from '../../core/ids.ts';
import { isRecord, jsonOf } from '../../core/json.ts';
import type { RunRecord } from '../record.ts';
import type { LivePage, LiveRun, LiveRuns, SweepCursors } from './live-runs.ts';
import { listMarkers, markOf, putMarker, removeMarker } from './s3-markers.ts';
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
    forget: ({ place, version }) => removeMarker(bucket, LIVE + place, version),
  };
}

export function mark(bucket: Bucket, run: Marked): Promise<void> {
  return putMarker(bucket, LIVE + placeOf(run));
}

/** Of a run that is closed, for good. */
export function unmark(bucket: Bucket, run: Marked): Promise<void> {
  return removeMarker(bucket, LIVE + placeOf(run));
}

async function list(bucket: Bucket, page: LivePage): Promise<LiveRun[]> {
  const prefix = page.tenant === undefined ? LIVE : `${LIVE}${page.tenant}/`;
  const found: LiveRun[] = [];
  let after = page.after === undefined ? undefined : LIVE + page.after;
  while (found.length < page.limit) {
    const objects = await listMarkers(bucket, prefix, { after, limit: page.limit - found.length });
    found.push(...objects.flatMap(markerOf));
    after = objects.at(-1)?.Key;
    if (after === undefined) break;
  }
  return found;
}

function markerOf(object: _Object): LiveRun[] {
  const { Key = '' } = object;
  const place = Key.slice(LIVE.length);
  const runId = place.slice(place.lastIndexOf('/') + 1);
  return isRunId(runId) ? [{ runId, place, ...markOf(object) }] : [];
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
