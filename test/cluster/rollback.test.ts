import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { buildJars, CountedStream, type CountedStreamOptions, type Jars } from './support/counted-stream.ts';
import { FLINK_VERSIONS, turnsOf } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { startStorage, type Storage } from './support/s3.ts';
import { openUploads } from './support/streams.ts';
import { tenantSuite } from './support/tenant-suite.ts';

/** Upgrades that turn out badly, on real Flink. Pods reach the witness on this machine, so this runs where they do. */
const host = process.env['NODE_IP'] ?? '';
const skipped = host === '';
if (skipped) console.warn('SKIPPED: test/cluster/rollback.test.ts: run it in test/cluster/lab/enter');

const TIME_LIMIT = 480_000;
const [newest = '', oldest = newest] = FLINK_VERSIONS;
const pool = createPool(3);

describe.skipIf(skipped)('an upgrade that turns out badly', () => {
  const suite = tenantSuite();
  let storage: Storage;
  let jars: Jars;

  beforeAll(async () => {
    [storage, jars] = await Promise.all([startStorage(), buildJars()]);
    await openUploads(storage);
  });
  afterAll(() => storage?.stop());

  /** A stream that counts as its first version. */
  async function counting(
    version: string,
    test: TestContext,
    options: Partial<CountedStreamOptions> = {},
  ): Promise<CountedStream> {
    const shared = { tenant: suite.tenant, version, storage, jars, host, upgradeMode: 'savepoint' } as const;
    const stream = await CountedStream.open({ ...shared, ...options }, test);
    await stream.upload('first');
    await stream.countsAs('first');
    return stream;
  }

  /** Once, from the upgrade's own snapshot, and the event says why. */
  function expectRolledBack({ streams }: CountedStream, reason: string): void {
    const [first, failed, again] = streams.runs;
    expect(streams.runs, streams.situation()).toHaveLength(3);
    expect(failed?.outcome).toMatchObject({ state: 'failed', reason });
    expect(again?.startFrom?.path).toBe(first?.attempts.at(-1)?.snapshot?.path);
    expect(again?.startFrom?.path).toBe(failed?.startFrom?.path);
    const told = streams.events.filter(({ type }) => type.includes('.rolling-back.'));
    expect(told.at(-1)?.data).toMatchObject({ generation: 2, reason, snapshot: { path: again?.startFrom?.path } });
    expect(streams.deployment).toMatchObject({
      wanted: 3,
      generations: [{}, { rejected: { reason } }, { rollbackOf: 2 }],
    });
  }

  describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
    const isTurn = turnsOf(version);

    it.runIf(isTurn())('to a version without a uid: the old one goes on, whoever is killed over it', (test) =>
      pool(async () => {
        const stream = await counting(version, test);
        const { deaths } = stream.streams;
        deaths.armed = true;
        await stream.upload('renamed');
        await stream.countsAs('first');
        stream.expectExact();
        expectRolledBack(stream, 'StateIncompatible');
        const isRollback = (moment: string): boolean => moment.includes('deployments.replace rolling-back');
        expect(deaths.struck.filter(isRollback)).toHaveLength(2);
        console.log(`killed at ${deaths.struck.length} moments: ${deaths.struck.join(', ')}`);
        await stream.upload('changed', { state: 'suspended' });
        await stream.untilState('suspended');
      }),
    );

    it.runIf(isTurn())('to a version that fails after a checkpoint: a person decides', (test) =>
      pool(async () => {
        const flinkConfiguration = { 'restart-strategy.type': 'none' };
        const stream = await counting(version, test, { flinkConfiguration });
        await stream.upload('failing');
        await stream.countsAs('failing');
        await stream.untilState('blocked');
        const { settled } = stream.streams.deployment;
        expect(settled, stream.streams.situation()).toMatchObject({ generation: 2, reason: 'JobFailed' });
        expect(settled?.choices.join()).toContain('deployments rollback');
        expect(stream.streams.runs).toHaveLength(2);
        await stream.streams.order({ kind: 'rollback', acceptDuplicates: true });
        await stream.streams.until(
          () => 'the first version again',
          240,
          () => stream.lives.length === 3,
        );
        // As it was told: what came after the upgrade's savepoint is done again.
        const [before, , again] = stream.lives;
        expect(again).toMatchObject({ variant: 'first', from: before?.last?.number });
        await stream.upload('changed', { upgradeMode: 'last-state', state: 'suspended' });
        await stream.untilState('suspended');
      }),
    );
  });

  it.skipIf(newest === oldest)(
    `from Flink ${oldest} to ${newest} with another serializer: the old one goes on, and a right one takes its place`,
    { timeout: TIME_LIMIT },
    (test) =>
      pool(async () => {
        const stream = await counting(oldest, test);
        await stream.upload('retyped', {}, newest);
        await stream.countsAs('first');
        stream.expectExact();
        expectRolledBack(stream, 'StateIncompatible');
        await stream.upload('changed', {}, newest);
        await stream.countsAs('changed');
        stream.expectExact();
        expect(stream.streams.runs.map(({ job }) => job?.flinkVersion)).toEqual([...['1.20', '2.3', '1.20', '2.3']]);
        await stream.upload('changed', { state: 'suspended' }, newest);
        await stream.untilState('suspended');
      }),
  );
});
