import { PutObjectCommand } from '@aws-sdk/client-s3';
import { fromAwsError } from '../../../core/aws-error.ts';
import { foldSamples, mergeSamples, MOST_RECENT } from '../../samples/merge.ts';
import { addSample } from '../../samples/sample-text.ts';
import { getText, type Bucket } from '../s3-objects.ts';
import { samplesKey, type ReadSamples, type SampleStore } from './sample-store.ts';

export function createS3SampleStore(bucket: Bucket): SampleStore {
  return {
    async add(runId, attempt, sample) {
      const [key, older] = [samplesKey(runId, attempt, 'recent'), samplesKey(runId, attempt, 'older')];
      const recent = await read(bucket, key);
      const added = addSample(recent, sample);
      if (added.samples <= MOST_RECENT) return put(bucket, key, added.text);
      // In this order: a reader who comes between the two finds some of them twice, and none of them missing.
      await put(bucket, older, foldSamples(await read(bucket, older), recent));
      await put(bucket, key, addSample('', sample).text);
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

async function put({ s3, bucket }: Bucket, key: string, text: string): Promise<void> {
  const input = { Bucket: bucket, Key: key, Body: text, ContentType: 'application/jsonl' };
  try {
    await s3.send(new PutObjectCommand(input));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${key}` });
  }
}
