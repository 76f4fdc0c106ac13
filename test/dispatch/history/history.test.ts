import { describe, expect, it } from 'vitest';
import type { RunId } from '../../../lib/core/ids.ts';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import type { Archive } from '../../../lib/flink/archive/archive.ts';
import { createS3ArchiveReader } from '../../../lib/run/store/history/s3-archive-store.ts';
import { createS3SampleReader } from '../../../lib/run/store/history/s3-sample-store.ts';
import { LEDGER } from '../../prove/functions.ts';
import { Invocation } from '../../prove/simulation.ts';
import { FOREVER, HEALTHY, jobMessage, World } from '../world/simulated.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STREAM = { flinkConfiguration: { 'execution.runtime-mode': 'STREAMING' }, retry: { attempts: 1 } };

function bucketOf(world: World) {
  return { s3: world.s3.client(new Invocation('reader')), bucket: LEDGER };
}

async function read<T>(world: World, asked: Promise<T>): Promise<T> {
  let isRead = false;
  const done = asked.finally(() => (isRead = true));
  while (!isRead && (await world.sim.step()));
  return done;
}

const samplesOf = (world: World, runId: RunId) => read(world, createS3SampleReader(bucketOf(world))(runId, 1));

function archiveOf(world: World, runId: RunId): Promise<Archive | undefined> {
  const jobId = world.record(runId).attempts[0]?.archive?.jobs[0] ?? '';
  return read(world, createS3ArchiveReader(bucketOf(world))({ runId, attempt: 1, jobId }));
}

async function stateIn(world: World, runId: RunId): Promise<unknown> {
  const archive = await archiveOf(world, runId);
  const details = [...(archive ?? [])].find(([path]) => /^\/jobs\/[0-9a-f]{32}$/.test(path))?.[1];
  return (JSON.parse(details ?? '{}') as { state?: string }).state;
}

const failing = /(?:s3 (?:put|get) runs\/[0-9a-f]+\/(?:samples|archive)|s3 put archive|flink (?:figures|answers))/;

describe('samples', () => {
  it('of a stream are a minute apart, and no look comes for them', async () => {
    const lookedAt = async (prepare: (world: World) => void) => {
      const world = new World();
      world.programs = [FOREVER];
      prepare(world);
      const { runId } = await world.request(jobMessage(STREAM));
      await world.drainFor(30 * MINUTE);
      return { world, runId, looks: world.asked(/^k8s GET deployments\//) };
    };
    const { world, runId, looks } = await lookedAt(() => undefined);
    const samples = await samplesOf(world, runId);
    const gaps = samples.slice(1).map(({ at }, index) => at - (samples[index]?.at ?? 0));
    expect(samples.length).toBeGreaterThan(25);
    expect(Math.min(...gaps)).toBeGreaterThan(56 * SECOND);
    expect(Math.max(...gaps)).toBeLessThan(80 * SECOND);
    const without = await lookedAt(({ plans }) => plans.strike(failing, 'refused', Infinity));
    expect(Math.abs(without.looks - looks)).toBeLessThanOrEqual(looks / 50);
  });

  it('of a batch job are ten seconds apart, and the last one is what was told of its end', async () => {
    const world = new World();
    const metrics = { 'read-bytes': 1, 'write-bytes': 2, 'read-records': 3, 'write-records': 4 };
    const details = (jid: string) => ({ jid, name: 'a', vertices: [{ id: 'v', name: 'v', parallelism: 1, metrics }] });
    world.programs = [{ ...HEALTHY, endsAfter: 2 * MINUTE }];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(10 * SECOND);
    const { jobId } = world.record(runId).attempts[0] ?? { jobId: '' };
    world.programs = [
      { ...HEALTHY, endsAfter: 2 * MINUTE, result: { answers: { [`/jobs/${jobId}`]: details(jobId) } } },
    ];
    await world.drain();
    const samples = await samplesOf(world, runId);
    expect(samples.length).toBeGreaterThan(8);
    expect(samples.length).toBeLessThan(15);
    expect(samples.at(-1)?.counts).toEqual([{ bytesIn: 1, bytesOut: 2, recordsIn: 3, recordsOut: 4 }]);
  });

  it('that cannot be kept change nothing, and are not tried at each look', async () => {
    const told = async (prepare: (world: World) => void) => {
      const world = new World();
      world.programs = [{ ...HEALTHY, endsAfter: 10 * MINUTE, end: 'FAILED' }];
      prepare(world);
      const { runId } = await world.request(jobMessage({ retry: { attempts: 2 } }));
      await world.drain();
      const { outcome, attempts, stepError } = world.record(runId);
      return { world, states: world.states(runId), reason: outcome?.reason, attempts: attempts.length, stepError };
    };
    const { world: whole, ...expected } = await told(() => undefined);
    const { world, ...seen } = await told(({ plans }) => plans.strike(failing, 'refused', Infinity));
    expect(seen).toEqual(expected);
    expect(world.asked(/^flink figures/)).toBeLessThanOrEqual(whole.asked(/^flink figures/) + 4);
    expect(world.s3.keys(`${LEDGER}/archive/`)).toEqual([]);
    expect(world.logged.some((line) => line.startsWith('a sample was not kept'))).toBe(true);
    expect(world.logged.some((line) => line.startsWith('a job was not archived'))).toBe(true);
  });
});

describe('an archive', () => {
  it.each([
    ['FINISHED', HEALTHY],
    ['FAILED', { ...HEALTHY, end: 'FAILED' as const }],
  ])('is kept of a job that is %s', async (state, program) => {
    const world = new World();
    world.programs = [program];
    const { runId } = await world.request(jobMessage());
    await world.drain();
    expect(await stateIn(world, runId)).toBe(state);
    const jobId = world.record(runId).attempts[0]?.jobId ?? '';
    expect(world.s3.keys(`${LEDGER}/archive/`)).toEqual([`${LEDGER}/archive/${jobId}`]);
    // A job that ends within seconds is not drafted.
    expect(world.asked(/^flink answers/)).toBe(1);
  });

  it('of one that is canceled tells of that', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage(STREAM));
    await world.drainFor(MINUTE);
    await cancelRun(runId, { by: 'a person', reason: 'JobCanceled' }, world.dispatch);
    await world.drain();
    expect(await stateIn(world, runId)).toBe('CANCELED');
  });

  it('of one whose cluster somebody took away is the last draft, with the end in it', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage(STREAM));
    await world.drainFor(10 * MINUTE);
    expect(await stateIn(world, runId)).toBe('RUNNING');
    expect(world.s3.keys(`${LEDGER}/archive/`)).toEqual([]);
    world.vanish(world.refOf(runId));
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('ClusterDeleted');
    expect(await stateIn(world, runId)).toBe('FAILED');
    const exceptions = [...((await archiveOf(world, runId)) ?? [])].find(([path]) => path.endsWith('/exceptions'));
    expect(exceptions?.[1]).toContain('exceptionHistory');
  });

  it('of one whose end no look saw is the last draft as well', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage({ ...STREAM, deadlines: { run: '5m' } }));
    await world.drainFor(4 * MINUTE);
    world.plans.strike(/k8s GET/, 'refused', 400);
    await world.drain();
    expect(world.record(runId).outcome?.rule).toBe('no-look');
    expect(await stateIn(world, runId)).toBe('FAILED');
    expect(world.record(runId).attempts[0]?.archive?.endedAt).toBeDefined();
  });

  it('is drafted with each doubling of a stream’s age, and daily', async () => {
    const world = new World();
    world.programs = [FOREVER];
    await world.request(jobMessage(STREAM));
    await world.drainFor(HOUR);
    const first = world.asked(/^s3 put runs\/[0-9a-f]+\/archive\//);
    expect(first).toBeGreaterThan(4);
    expect(first).toBeLessThan(9);
    await world.drainFor(23 * HOUR);
    const day = world.asked(/^s3 put runs\/[0-9a-f]+\/archive\//);
    await world.drainFor(24 * HOUR);
    expect(world.asked(/^s3 put runs\/[0-9a-f]+\/archive\//) - day).toBe(1);
  });
});
