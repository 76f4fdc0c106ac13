import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { MOST_SAMPLES } from '../../../lib/run/samples/places.ts';
import type { ReadSamples, SampleStore } from '../../../lib/run/store/history/sample-store.ts';
import { createS3SampleReader, createS3SampleStore } from '../../../lib/run/store/history/s3-sample-store.ts';
import { FakeSampleStore } from '../../fakes/sample-store.ts';
import { sampleAt } from '../../run/samples/sample.ts';
import { forEachS3Server, freshBucket } from '../aws-server.ts';
import { memoryBucket } from '../support/memory-bucket.ts';

interface Made {
  readonly store: SampleStore;
  readonly read: ReadSamples;
}

const [RUN, OTHER] = [runIdFor('a'), runIdFor('b')];

describeSamples('fake', () => {
  const store = new FakeSampleStore();
  return { store, read: store.read };
});
describeSamples('S3 in memory', () => onS3(memoryBucket()));
forEachS3Server((server) => {
  describeSamples(`S3 of ${server.name}`, async () => onS3(await freshBucket(server)));
});

function onS3(bucket: ReturnType<typeof memoryBucket>): Made {
  return { store: createS3SampleStore(bucket), read: createS3SampleReader(bucket) };
}

function describeSamples(name: string, make: () => Made | Promise<Made>): void {
  describe(`samples: ${name}`, () => {
    it('come back in order, of their run and attempt alone', async () => {
      const { store, read } = await make();
      for (const at of [1, 2, 3])
        await store.keep({ runId: RUN, attempt: 1, number: at }, sampleAt(at, { records: at, watermark: at }));
      await store.keep({ runId: RUN, attempt: 2, number: 1 }, sampleAt(9));
      expect(await read(RUN, 1)).toEqual([1, 2, 3].map((at) => sampleAt(at, { records: at, watermark: at })));
      expect(await read(RUN, 2)).toEqual([sampleAt(9)]);
      expect(await read(OTHER, 1)).toEqual([]);
    });

    it('are so many at most, to the last one', async () => {
      const { store, read } = await make();
      const numbers = Array.from({ length: 700 }, (_, index) => index + 1);
      for (const number of numbers) await store.keep({ runId: RUN, attempt: 1, number }, sampleAt(number * 60_000));
      const kept = (await read(RUN, 1)).map(({ at }) => at / 60_000);
      expect(kept.length).toBeLessThanOrEqual(MOST_SAMPLES);
      expect(kept.slice(-100)).toEqual(numbers.slice(-100));
      expect(kept).toEqual([...kept].sort((a, b) => a - b));
      await store.keep({ runId: RUN, attempt: 1, number: 700 }, sampleAt(1));
      expect((await read(RUN, 1)).map(({ at }) => at)).not.toContain(700 * 60_000);
    });
  });
}
