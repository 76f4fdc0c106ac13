import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { MOST_POINTS } from '../../../lib/run/samples/sample.ts';
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
      for (const at of [1, 2, 3]) await store.add(RUN, 1, sampleAt(at, { records: at, watermark: at }));
      await store.add(RUN, 2, sampleAt(9));
      expect(await read(RUN, 1)).toEqual([1, 2, 3].map((at) => sampleAt(at, { records: at, watermark: at })));
      expect(await read(RUN, 2)).toEqual([sampleAt(9)]);
      expect(await read(OTHER, 1)).toEqual([]);
    });

    it('are so many at most, from the first one to the last', async () => {
      const { store, read } = await make();
      const times = Array.from({ length: 2 * MOST_POINTS }, (_, index) => index * 60_000);
      for (const at of times) await store.add(RUN, 1, sampleAt(at));
      const kept = (await read(RUN, 1)).map(({ at }) => at);
      expect(kept.length).toBeLessThanOrEqual(MOST_POINTS);
      expect(kept.length).toBeGreaterThan(MOST_POINTS / 2);
      expect([kept[0], kept.at(-1)]).toEqual([times[0], times.at(-1)]);
      expect(kept).toEqual([...kept].sort((a, b) => a - b));
    });
  });
}
