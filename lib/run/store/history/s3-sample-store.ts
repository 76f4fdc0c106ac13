import { foldSamples, mergeSamples, MOST_RECENT } from '../../samples/merge.ts';
import { addSample } from '../../samples/sample-text.ts';
import { getText, putText, type Bucket } from '../s3-objects.ts';
import { samplesKey, type ReadSamples, type SampleStore } from './sample-store.ts';

const JSON_LINES = 'application/jsonl';

export function createS3SampleStore(bucket: Bucket): SampleStore {
  return {
    async add(runId, attempt, sample) {
      const [key, older] = [samplesKey(runId, attempt, 'recent'), samplesKey(runId, attempt, 'older')];
      const recent = await read(bucket, key);
      const added = addSample(recent, sample);
      if (added.samples <= MOST_RECENT) return putText(bucket, key, added.text, JSON_LINES);
      // In this order: a reader who comes between the two finds some of them twice, and none of them missing.
      await putText(bucket, older, foldSamples(await read(bucket, older), recent), JSON_LINES);
      await putText(bucket, key, addSample('', sample).text, JSON_LINES);
    },
  };
}

export function createS3SampleReader(bucket: Bucket): ReadSamples {
  return async (runId, attempt) => {
    const recent = await read(bucket, samplesKey(runId, attempt, 'recent'));
    // After the newest: those that joined the older ones meanwhile are in there.
    return mergeSamples(await read(bucket, samplesKey(runId, attempt, 'older')), recent);
  };
}

async function read(bucket: Bucket, key: string): Promise<string> {
  return (await getText(bucket, key))?.text ?? '';
}
