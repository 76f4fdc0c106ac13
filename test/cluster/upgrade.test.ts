import { describe, expect, it } from 'vitest';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { CountedStream } from './support/counted-stream.ts';
import { FLINK_VERSIONS, killPod, turnsOf } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { STATE_BUCKET } from './support/s3.ts';
import { STREAM_HOST, streamSuite } from './support/stream-suite.ts';

/** Of each kind. */
const UPGRADES = Number(process.env['UPGRADES'] ?? 2);
const TIME_LIMIT = 240_000 + UPGRADES * 120_000;
const HIGH_AVAILABILITY = {
  'high-availability.type': 'kubernetes',
  'high-availability.storageDir': `s3://${STATE_BUCKET}/ha`,
};
const pool = createPool(3);

/**
 * Streams that are changed while they run, on real Flink: what their job itself says tells whether state was kept. Pods
 * reach the witness on this machine, so this runs where they do.
 */
describe.skipIf(STREAM_HOST === '')('a stream that is changed', () => {
  const suite = streamSuite('test/cluster/upgrade.test.ts');

  async function expectNothingLeft({ streams }: CountedStream): Promise<void> {
    for (const { clusterId } of streams.runs.flatMap(({ attempts }) => attempts)) {
      expect(await createClusters(suite.admin).remains({ ...streams.ref, clusterId })).toEqual([]);
    }
  }

  async function suspend(stream: CountedStream, variant: 'first' | 'changed'): Promise<void> {
    await stream.upload(variant, { state: 'suspended' });
    await stream.untilState('suspended');
    await expectNothingLeft(stream);
  }

  describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
    const isTurn = turnsOf(version);

    it.runIf(isTurn())('goes on with the next number after each upload, and after it was suspended', (test) =>
      pool(async () => {
        const stream = await suite.counting(version, { upgradeMode: 'savepoint' }, test);
        for (let upgrade = 0; upgrade < UPGRADES; upgrade += 1) {
          // By turns: the next run's cluster is made when the last one is gone, or before.
          const prepareUpgrade = upgrade % 2 === 1;
          // What was not seen running yet is upgraded in the usual way.
          if (prepareUpgrade) await stream.untilState('running');
          await stream.upgrade({ prepareUpgrade });
          stream.expectExact();
          await stream.lastIsGone();
          const [before, after] = stream.expectHandedOver();
          expect(before.outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint' });
          expect(after.prepared?.permittedAt !== undefined, stream.streams.situation()).toBe(prepareUpgrade);
          expect(after.attempts).toHaveLength(1);
        }
        const variant = UPGRADES % 2 === 0 ? 'first' : 'changed';
        await suspend(stream, variant);
        await stream.upload(variant);
        await stream.countsAs(variant);
        stream.expectExact();
        await suspend(stream, variant);
      }),
    );

    it.runIf(isTurn())(
      'goes on from its last checkpoint after each upload, and after its JobManager was lost',
      (test) =>
        pool(async () => {
          const stream = await suite.counting(version, { upgradeMode: 'last-state' }, test);
          for (let upgrade = 0; upgrade < UPGRADES; upgrade += 1) {
            await stream.upgrade();
            const [before] = stream.expectHandedOver();
            expect(before.outcome).toMatchObject({ state: 'canceled' });
          }
          await killPod(stream.streams.ref, 'jobmanager');
          await stream.countsAs(UPGRADES % 2 === 0 ? 'first' : 'changed');
          const [lost, again] = stream.streams.runs.at(-1)?.attempts ?? [];
          expect(again?.restoredFrom).toMatchObject({ kind: 'checkpoint' });
          expect(again?.restoredFrom?.path).toBe(lost?.snapshot?.path);
          await suspend(stream, UPGRADES % 2 === 0 ? 'first' : 'changed');
        }),
    );

    for (const [how, flinkConfiguration] of Object.entries({ without: {}, with: HIGH_AVAILABILITY })) {
      it.runIf(isTurn())(`keeps its state when its JobManager is killed in its last savepoint, ${how} HA`, (test) =>
        pool(async () => {
          const options = { job: { fallback: 'last-state' }, flinkConfiguration, slowness: 3_000 };
          const stream = await suite.counting(version, { upgradeMode: 'savepoint', ...options }, test);
          const asked = stream.effect('flink.stop');
          await stream.upload('changed');
          await asked;
          await killPod(stream.streams.ref, 'jobmanager');
          // With high availability the old version may come back before it is stopped.
          await stream.comesToCountAs('changed');
          stream.expectHandedOver();
          await suspend(stream, 'changed');
        }),
      );
    }

    it.runIf(isTurn())(
      'keeps its state when functions are killed before and after each effect of its upgrades',
      (test) =>
        pool(async () => {
          const stream = await suite.counting(version, { upgradeMode: 'savepoint' }, test);
          const { deaths } = stream.streams;
          deaths.armed = true;
          await stream.upgrade();
          stream.expectExact();
          await stream.upgrade({ upgradeMode: 'last-state', prepareUpgrade: true });
          await suspend(stream, 'first');
          for (const effect of ['flink.stop', 'flink.cancel', 'cluster.apply', 'cluster.remove', 'queue.send']) {
            expect(deaths.struck).toEqual(expect.arrayContaining([`before ${effect}`, `after ${effect}`]));
          }
          console.log(`killed at ${deaths.struck.length} moments: ${deaths.struck.join(', ')}`);
        }),
    );
  });
});
