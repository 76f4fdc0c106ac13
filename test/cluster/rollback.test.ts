import { describe, expect, it } from 'vitest';
import type { CountedStream } from './support/counted-stream.ts';
import { FLINK_VERSIONS, turnsOf } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { STREAM_HOST, streamSuite } from './support/stream-suite.ts';

const TIME_LIMIT = 480_000;
const SAVEPOINT = { upgradeMode: 'savepoint' } as const;
const [newest = '', oldest = newest] = FLINK_VERSIONS;
const pool = createPool(3);

/** On real Flink. Pods reach the witness on this machine, so this runs where they do. */
describe.skipIf(STREAM_HOST === '')('an upgrade that turns out badly', () => {
  const suite = streamSuite('test/cluster/rollback.test.ts');

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
        const stream = await suite.counting(version, SAVEPOINT, test);
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
        const stream = await suite.counting(version, { ...SAVEPOINT, flinkConfiguration }, test);
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
        const stream = await suite.counting(oldest, SAVEPOINT, test);
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
