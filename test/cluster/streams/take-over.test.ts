import { describe, expect, it } from 'vitest';
import { FLINK_VERSIONS, turnsOf } from '../support/lab.ts';
import { createPool } from '../support/pool.ts';
import { STREAM_HOST, streamSuite } from '../support/stream-suite.ts';

const TIME_LIMIT = 480_000;
/** Nothing says that it is a stream, or the spec says that it is none and leaves it to Flink. */
const SAYS = [
  ['nothing', { job: { kind: undefined, upgradeMode: undefined } }, 'batch'],
  [
    'batch, where Flink chooses',
    {
      job: { kind: 'batch', upgradeMode: undefined },
      flinkConfiguration: { 'execution.runtime-mode': 'AUTOMATIC' },
    },
    'streaming',
  ],
] as const;
const pool = createPool(2);

describe.skipIf(STREAM_HOST === '')('a stream whose spec says', () => {
  const suite = streamSuite('test/cluster/streams/take-over.test.ts');

  describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
    const isTurn = turnsOf(version);

    for (const [what, says, kind] of SAYS) {
      it.runIf(isTurn())(`${what}, is taken over by its next version, with its state`, (test) =>
        pool(async () => {
          const stream = await suite.counting(version, { upgradeMode: 'savepoint', ...says }, test);
          const [plain] = stream.streams.runs;
          expect(plain).toMatchObject({ state: 'running', job: { kind: 'batch' } });
          expect(plain).not.toHaveProperty('deployment');
          expect(plain?.job?.notes?.[0]).toMatch(/^Flink runs it as a stream.*takes its place, with a savepoint/);
          for (const generation of [2, 3]) {
            await stream.upgrade();
            stream.expectExact();
            await stream.lastIsGone();
            const [before] = stream.expectHandedOver();
            expect(before.outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint' });
            expect(stream.streams.deployment).toMatchObject({ wanted: generation, runs: generation });
          }
          expect(stream.streams.runs.map(({ job }) => job?.kind)).toEqual([kind, kind, kind]);
          await stream.upload('changed', { kind: 'streaming', state: 'suspended' });
          await stream.untilState('suspended');
        }),
      );
    }
  });
});
