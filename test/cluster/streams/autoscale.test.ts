import { describe, expect, it } from 'vitest';
import { FLINK_VERSIONS } from '../support/lab.ts';
import { STREAM_HOST, streamSuite } from '../support/stream-suite.ts';

const TIME_LIMIT = 900_000;
const MINUTES = 60;
/** Each piece takes a subtask 20 ms, so that the job has room for two pieces of each number. */
const OPTIONS: Parameters<ReturnType<typeof streamSuite>['counting']>[1] = {
  upgradeMode: 'savepoint',
  isWide: true,
  work: 20,
  job: {
    ...{ parallelism: 2, probation: '20s' },
    autoscale: { min: 2, max: 6, stabilizationWindow: '30s' },
  },
  flinkConfiguration: { 'jobmanager.scheduler': 'adaptive', 'taskmanager.numberOfTaskSlots': '8' },
};

/** It takes five minutes of each version: `npm run test:autoscale`. */
const IS_ASKED_FOR = process.env['AUTOSCALE'] === '1';

/** On real Flink. Pods reach the witness on this machine, so this runs where they do. */
describe.skipIf(STREAM_HOST === '' || !IS_ASKED_FOR)('a load that grows four-fold', () => {
  const suite = streamSuite('test/cluster/streams/autoscale.test.ts');

  describe.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
    it('has the job in more subtasks within three minutes, and in fewer when it is gone', async (test) => {
      const stream = await suite.counting(version, OPTIONS, test);
      const { streams, witness } = stream;
      const scaleOfReached = (): number | undefined => {
        const { generations, reached } = streams.deployment;
        return generations.find(({ number }) => number === reached)?.scale?.parallelism;
      };
      const scales = async (parallelism: number, minutes: number): Promise<void> => {
        const begun = Date.now();
        await streams.until(
          () => `parallelism ${parallelism}`,
          minutes * MINUTES,
          () => scaleOfReached() === parallelism,
        );
        console.log(`Flink ${version}: parallelism ${parallelism} after ${Math.round((Date.now() - begun) / 1000)} s`);
      };
      await streams.until(
        () => 'the first generation is stable',
        2 * MINUTES,
        () => streams.deployment.stable !== undefined,
      );
      witness.pieces = 4;
      await scales(6, 3);
      await stream.comesToCountAs('first');
      witness.pieces = 1;
      await scales(2, 6);
      await stream.comesToCountAs('first');
      const numbers = streams.deployment.generations.map(({ scale }) => scale?.parallelism ?? 0);
      expect(numbers.every((parallelism) => parallelism >= 2 && parallelism <= 6)).toBe(true);
      const times = streams.deployment.generations.flatMap(({ autoscaledAt }) => autoscaledAt ?? []);
      expect(times.slice(1).every((at, index) => at - (times[index] ?? 0) >= 30_000)).toBe(true);
      // In one run, from its own checkpoints, and without a gap.
      expect(streams.runs).toHaveLength(1);
      expect(streams.runs[0]?.attempts).toHaveLength(1);
      expect(witness.account.faults).toEqual([]);
      await stream.upload('first', { state: 'suspended' });
      await stream.untilState('suspended');
    });
  });
});
