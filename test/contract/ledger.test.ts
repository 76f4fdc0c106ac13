import { expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { createS3Ledger } from '../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns, createS3SweepPlaces } from '../../lib/run/store/s3-live-runs.ts';
import type { Bucket } from '../../lib/run/store/s3-objects.ts';
import { createS3RunIndex, createS3RunList } from '../../lib/run/store/s3-run-index.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { freshBucket, forEachS3Server } from './aws-server.ts';
import { describeLedger } from './ledger-suite.ts';
import { memoryBucket } from './support/memory-bucket.ts';

describeLedger('fake', () => {
  const ledger = new FakeLedger();
  return { ledger, live: ledger };
});

describeS3('in memory', memoryBucket);
forEachS3Server((server) => describeS3(`of ${server.name}`, () => freshBucket(server)));

function describeS3(name: string, make: () => Bucket | Promise<Bucket>): void {
  describeLedger(`S3 ${name}`, async () => {
    const bucket = await make();
    return { ledger: createS3Ledger(bucket), live: createS3LiveRuns(bucket) };
  });

  it(`forgets the marker of a run that never got its record: S3 ${name}`, async () => {
    const bucket = await make();
    const live = createS3LiveRuns(bucket);
    await createS3Ledger(bucket).create(sampleRecord({ runId: runIdFor('a') }));
    const [marker] = await live.list({ limit: 1 });
    if (marker === undefined) throw new Error('no marker');
    expect(Math.abs(Date.now() - marker.markedAt)).toBeLessThan(60_000);
    await live.forget(marker);
    await live.forget(marker);
    expect(await live.list({ limit: 1 })).toEqual([]);
  });

  it(`shows what runs have become, and moves the rows of older ones: S3 ${name}`, async () => {
    const bucket = await make();
    const ledger = createS3Ledger(bucket);
    const sizes = { kept: 2, foldAt: 4, sheet: 3 };
    const [index, list] = [createS3RunIndex(bucket, sizes), createS3RunList(bucket, sizes)];
    const listed = async (): Promise<readonly string[]> =>
      (await list.rows({ limit: 10, matches: () => true })).map((row) => `${row.name} ${row.state}`);
    for (const n of [1, 2, 3, 4, 5]) {
      const called = `run-${n}`;
      const ended = sampleRecord({
        runId: runIdFor(called),
        name: called,
        createdAt: n,
        tenant: n === 5 ? 'payments' : undefined,
      } as never);
      const { version, value } = await ledger.create(ended);
      if (n < 5) await ledger.replace({ ...ended, state: 'closed' }, version, value);
    }
    const all = [5, 4, 3, 2, 1].map((n) => `run-${n} failed`);
    expect(await listed()).toEqual(all);
    expect(await index.fold()).toBe(2);
    expect(await index.fold()).toBe(0);
    expect(await listed()).toEqual(all);
    const live = createS3LiveRuns(bucket);
    const [left, ...more] = await live.list({ limit: 10 });
    expect([left?.place, left?.rows.length, more]).toEqual([`payments/${runIdFor('run-5')}`, 1, []]);
    expect(await list.ids(runIdFor('run-1').slice(0, 6), 3)).toEqual([runIdFor('run-1')]);
  });

  it(`keeps the place where a sweep stopped: S3 ${name}`, async () => {
    const places = createS3SweepPlaces(await make());
    expect(await places.read()).toEqual({});
    await places.write({ run: runIdFor('a'), cluster: 'default/flink/x' });
    expect(await places.read()).toEqual({ run: runIdFor('a'), cluster: 'default/flink/x' });
    await places.write({ deployment: '0'.repeat(20) });
    expect(await places.read()).toEqual({ deployment: '0'.repeat(20) });
    await places.write({});
    expect(await places.read()).toEqual({});
  });

  it(`spares a marker that was set anew since it was listed: S3 ${name}`, async () => {
    const bucket = await make();
    const live = createS3LiveRuns(bucket);
    const record = sampleRecord({ runId: runIdFor('a') });
    await createS3Ledger(bucket).create(record);
    const [marker] = await live.list({ limit: 1 });
    if (marker === undefined) throw new Error('no marker');
    await createS3Ledger(bucket).create(record);
    await live.forget(marker);
    expect((await live.list({ limit: 1 })).map(({ runId }) => runId)).toEqual([record.runId]);
  });

  it(`lists the runs of a tenant alone, or of all: S3 ${name}`, async () => {
    const bucket = await make();
    const live = createS3LiveRuns(bucket);
    const [none, ours, theirs] = ['none', 'ours', 'theirs'].map(runIdFor);
    for (const [runId, tenant] of [[none], [ours, 'team-a'], [theirs, 'team-b']] as const) {
      if (runId === undefined) throw new Error('no run');
      await createS3Ledger(bucket).create(sampleRecord({ runId, ...(tenant !== undefined && { tenant }) }));
    }
    const listed = async (page: Parameters<typeof live.list>[0]) => (await live.list(page)).map(({ runId }) => runId);
    expect(await listed({ limit: 5, tenant: 'team-a' })).toEqual([ours]);
    expect(new Set(await listed({ limit: 5 }))).toEqual(new Set([none, ours, theirs]));
    const [first] = await live.list({ limit: 5, tenant: 'team-a' });
    expect(first).toMatchObject({ place: `team-a/${ours}` });
    expect(await listed({ limit: 5, tenant: 'team-a', after: first?.place ?? '' })).toEqual([]);
  });
}
