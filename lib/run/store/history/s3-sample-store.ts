import { mapConcurrent } from '../../../core/map-concurrent.ts';
import { placeOf } from '../../samples/places.ts';
import { readSamples, writeSample } from '../../samples/sample-text.ts';
import type { Sample } from '../../samples/sample.ts';
import { pageOfMarkers } from '../s3-markers.ts';
import { getText, putObject, type Bucket } from '../s3-objects.ts';
import { samplesPrefix, type ReadSamples, type SampleStore } from './sample-store.ts';

const READS_AT_ONCE = 32;

/** One write for each sample, and nothing that has to be read, moved or removed. */
export function createS3SampleStore(bucket: Bucket): SampleStore {
  return {
    keep({ runId, attempt, number }, sample) {
      const key = `${samplesPrefix(runId, attempt)}${placeOf(number)}.jsonl`;
      return putObject(bucket, key, writeSample(sample), 'application/jsonl');
    },
  };
}

/** Reads each object once, for as long as it stays as it is. */
export function createS3SampleReader(bucket: Bucket): ReadSamples {
  let known = new Map<string, readonly Sample[]>();
  return async (runId, attempt) => {
    const { objects } = await pageOfMarkers(bucket, samplesPrefix(runId, attempt), { after: undefined });
    const read = await mapConcurrent(objects, READS_AT_ONCE, async ({ Key = '', ETag = '' }) => {
      const name = `${Key} ${ETag}`;
      return [name, known.get(name) ?? readSamples((await getText(bucket, Key))?.text ?? '')] as const;
    });
    known = new Map(read);
    return [...known.values()].flat().sort((a, b) => a.at - b.at);
  };
}
