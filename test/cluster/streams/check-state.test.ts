import { describe, expect, it } from 'vitest';
import { FLINK_VERSIONS } from '../support/lab.ts';
import { createPool } from '../support/pool.ts';
import { STREAM_HOST, streamSuite } from '../support/stream-suite.ts';

const TIME_LIMIT = 480_000;
const CHECKED = { prepareUpgrade: true, checkState: true };
/** The hash of the uid `sums`. */
const SUMS = 'a0f90dae8f3f5f042400509da0ac0fbb';
const pool = createPool(2);

/** On real Flink: its plans, and what it has written. Pods reach the witness on this machine, so this runs where they do. */
describe.skipIf(STREAM_HOST === '')('a program that is compared with the state', () => {
  const suite = streamSuite('test/cluster/streams/check-state.test.ts');

  it.concurrent.for(FLINK_VERSIONS)(
    'is refused before the last job is touched where it lacks an operator, else takes over (Flink %s)',
    { timeout: TIME_LIMIT },
    (version, test) =>
      pool(async () => {
        const stream = await suite.counting(version, { upgradeMode: 'savepoint' }, test);
        const { streams } = stream;
        await stream.upload('renamed', CHECKED);
        await streams.until(
          () => 'the renamed job is refused',
          240,
          () => streams.deployment.settled !== undefined,
        );
        const { settled } = streams.deployment;
        expect(settled).toMatchObject({ generation: 2, reason: 'StateIncompatible' });
        const named = version.startsWith('1.') ? '' : " with uid 'sums'";
        expect(settled?.message).toContain(
          `The new program has no operator for the state of operator ${SUMS}${named} (`,
        );
        expect(streams.runs[0]).toMatchObject({ state: 'running' });
        expect(streams.runs[0]).not.toHaveProperty('stopRequested');
        expect(stream.lives).toHaveLength(1);
        await stream.upload('changed', CHECKED);
        await stream.countsAs('changed');
        stream.expectExact();
        expect(streams.deployment.run?.prepared).toBe(true);
        const told = streams.deployment.events.filter(({ type }) => type === 'upgrading');
        expect(told).toHaveLength(1);
        // It was compared, and all of it fits.
        expect(told[0]).not.toHaveProperty('message');
        await stream.upload('changed', { ...CHECKED, state: 'suspended' });
        await stream.untilState('suspended');
      }),
  );
});
