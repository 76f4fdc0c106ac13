import { describe, expect, it } from 'vitest';
import type { CountedStream, CountedStreamOptions } from '../support/counted-stream.ts';
import { FLINK_VERSIONS, killPod, turnsOf } from '../support/lab.ts';
import { createPool } from '../support/pool.ts';
import { STATE_BUCKET } from '../support/s3.ts';
import { STREAM_HOST, streamSuite } from '../support/stream-suite.ts';

const TIME_LIMIT = 480_000;
const PATIENCE = 240;
const pool = createPool(2);

const WIDE: Partial<CountedStreamOptions> & Pick<CountedStreamOptions, 'upgradeMode'> = {
  upgradeMode: 'savepoint',
  isWide: true,
  job: { parallelism: 2, probation: '2m' },
  flinkConfiguration: { 'jobmanager.scheduler': 'adaptive', 'taskmanager.numberOfTaskSlots': '2' },
};

const SAFE = {
  'high-availability.type': 'kubernetes',
  'high-availability.storageDir': `s3://${STATE_BUCKET}/ha`,
};

/** On real Flink. Pods reach the witness on this machine, so this runs where they do. */
describe.skipIf(STREAM_HOST === '')('another parallelism', () => {
  const suite = streamSuite('test/cluster/streams/rescale.test.ts');

  /** Of each vertex, in no order. */
  async function parallelisms({ streams }: CountedStream): Promise<readonly number[]> {
    const jobId = streams.runs.at(-1)?.attempts.at(-1)?.jobId ?? '';
    const vertices = await (await streams.target()).rescaling(streams.ref).vertices(jobId);
    return vertices.map(({ parallelism }) => parallelism).sort((a, b) => b - a);
  }

  async function scaleTo(stream: CountedStream, parallelism: number): Promise<void> {
    const { streams } = stream;
    const wanted = streams.deployment.wanted + 1;
    await streams.order({ kind: 'scale', parallelism });
    await streams.until(
      () => `parallelism ${parallelism}`,
      PATIENCE,
      () => streams.deployment.reached === wanted,
    );
  }

  /** In the same job, of the same attempt, from its own checkpoint. */
  function expectInPlace(stream: CountedStream, times: number): void {
    const { runs, events } = stream.streams;
    expect(runs, stream.streams.situation()).toHaveLength(1);
    expect(runs[0]?.attempts).toHaveLength(1);
    expect(new Set(stream.lives.map(({ job }) => job)).size).toBe(1);
    const told = events.map(({ type }) => type.split('.').at(-2)).filter((type) => type?.startsWith('rescal'));
    expect(told).toEqual(Array.from({ length: times }, () => ['rescaling', 'rescaled']).flat());
    expect(stream.witness.account.faults).toEqual([]);
  }

  describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
    const isTurn = turnsOf(version);

    it.runIf(isTurn())('is given to the job that runs, whoever is killed over it; its program’s own stays', (test) =>
      pool(async () => {
        const stream = await suite.counting(version, WIDE, test);
        expect(await parallelisms(stream)).toEqual([2, 1, 1]);
        const { deaths } = stream.streams;
        deaths.armed = true;
        const begun = Date.now();
        await scaleTo(stream, 4);
        console.log(`Flink ${version}: from 2 to 4 in ${Math.round((Date.now() - begun) / 1000)} s`);
        deaths.armed = false;
        expect(await parallelisms(stream)).toEqual([4, 1, 1]);
        expect(deaths.struck.filter((moment) => moment.includes('flink.require'))).toHaveLength(2);
        await stream.comesToCountAs('first');
        await scaleTo(stream, 1);
        expect(await parallelisms(stream)).toEqual([1, 1, 1]);
        expectInPlace(stream, 2);
        await stream.upload('changed', { state: 'suspended', parallelism: 1 });
        await stream.untilState('suspended');
      }),
    );

    it.runIf(isTurn())('outlives the JobManager with high availability', (test) =>
      pool(async () => {
        const flinkConfiguration = { ...WIDE.flinkConfiguration, ...SAFE };
        const stream = await suite.counting(version, { ...WIDE, flinkConfiguration }, test);
        await scaleTo(stream, 3);
        const lives = stream.lives.length;
        await killPod(stream.streams.ref, 'jobmanager');
        await stream.streams.until(
          () => 'the job goes on',
          PATIENCE,
          () => stream.lives.length > lives && stream.lives.at(-1)?.checkpoint !== undefined,
        );
        expect(await parallelisms(stream)).toEqual([3, 1, 1]);
        expectInPlace(stream, 1);
        await stream.upload('changed', { state: 'suspended', parallelism: 3 });
        await stream.untilState('suspended');
      }),
    );
  });
});
