import { expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns, createS3SweepPlaces } from '../../lib/run/store/s3-live-runs.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { freshBucket, forEachS3Server } from './aws-server.ts';
import { describeLedger } from './ledger-suite.ts';

describeLedger('fake', () => {
  const ledger = new FakeLedger();
  return { ledger, live: ledger };
});

forEachS3Server((server) => {
  describeLedger(`S3 of ${server.name}`, async () => {
    const bucket = await freshBucket(server);
    return { ledger: createS3Ledger(bucket), live: createS3LiveRuns(bucket) };
  });

  it('forgets the marker of a run that never got its record', async () => {
    const bucket = await freshBucket(server);
    const live = createS3LiveRuns(bucket);
    await createS3Ledger(bucket).create(sampleRecord({ runId: runIdFor('a') }));
    const [marker] = await live.list({ limit: 1 });
    if (marker === undefined) throw new Error('no marker');
    expect(Math.abs(Date.now() - marker.markedAt)).toBeLessThan(60_000);
    await live.forget(marker);
    await live.forget(marker);
    expect(await live.list({ limit: 1 })).toEqual([]);
  });

  it('keeps the place where a sweep stopped', async () => {
    const places = createS3SweepPlaces(await freshBucket(server));
    expect(await places.read()).toEqual({});
    await places.write({ run: runIdFor('a'), cluster: 'default/flink/x' });
    expect(await places.read()).toEqual({ run: runIdFor('a'), cluster: 'default/flink/x' });
    await places.write({});
    expect(await places.read()).toEqual({});
  });
});
