import { describe, expect, it } from 'vitest';
import type { Deliver } from '../../lib/delivery/delivery.ts';
import { keepJar } from '../../lib/dispatch/keep-jar.ts';
import type { PinnedJar } from '../../lib/job/job.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { runIn } from '../verdict/observations.ts';
import { FOREVER, jobMessage, World } from './world/simulated.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RENEWS = /k8s PATCH secrets/;
const HIGHLY_AVAILABLE = {
  flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' },
};

/** A world whose jobs run for hours, and whose signed URLs have to be renewed every ten minutes. */
function world(): { it: World; delivered: number[] } {
  const it = new World();
  const delivered: number[] = [];
  it.programs = [FOREVER];
  const deliver: Deliver = () => {
    delivered.push(it.clock.now());
    const secret = { name: 'flink-jar', data: { url: `https://jars/${delivered.length}` } };
    return Promise.resolve({ jarUri: 'local:///a.jar', secret, renewAt: it.clock.now() + 10 * MINUTE });
  };
  it.adapt = (deps) => ({ ...deps, deliver });
  return { it, delivered };
}

describe('a signed URL', () => {
  it('is renewed in time for as long as the run lives', async () => {
    const { it: here, delivered } = world();
    await here.request(jobMessage(HIGHLY_AVAILABLE));
    await here.drainFor(3 * HOUR);
    const again = delivered.slice(1);
    const gaps = delivered.flatMap((at, i) => (i === 0 ? [] : [at - (delivered[i - 1] ?? 0)]));
    expect(Math.max(...gaps)).toBeLessThan(11 * MINUTE);
    expect(again.length).toBeGreaterThan(15);
    expect(here.asked(RENEWS)).toBe(again.length);
  });

  it('is not renewed where no JobManager may start any more', async () => {
    const { it: here, delivered } = world();
    await here.request(jobMessage());
    await here.drainFor(3 * HOUR);
    expect(delivered).toHaveLength(1);
  });

  it('that cannot be renewed is tried again, and does the run no harm', async () => {
    const { it: here, delivered } = world();
    const { runId } = await here.request(jobMessage(HIGHLY_AVAILABLE));
    await here.drainFor(9 * MINUTE);
    here.plans.strike(RENEWS, 'refused', 2);
    await here.drainFor(10 * MINUTE);
    expect(here.record(runId).state).toBe('running');
    expect(delivered.length).toBeGreaterThanOrEqual(4);
    expect(here.logged.filter((line) => line.includes('not delivered anew'))).toHaveLength(2);
  });
});

const DAY = 24 * HOUR;
const PINNED: PinnedJar = { bucket: 'ledger', key: 'jars/sha256/0/a.jar', sha256: '0'.repeat(64), size: 1 };
const RUNNING = runIn('running', 0);

function withJar(record: RunRecord, days: number): RunRecord {
  if (record.job === undefined) throw new Error('no job');
  const jar = { ...record.job.jar, pinned: PINNED };
  return { ...record, job: { ...record.job, jar }, createdAt: 0, updatedAt: days * DAY };
}

/** What is kept of a record, looked at so many days after its run was accepted. */
async function keptAt(record: RunRecord, days: number, keep = () => Promise.resolve()): Promise<readonly PinnedJar[]> {
  const world = new World();
  const kept: PinnedJar[] = [];
  const keepIt: World['dispatch']['keepJar'] = (jar) => {
    kept.push(jar);
    return keep();
  };
  await keepJar(record, {
    ...world.dispatch,
    clock: { now: () => days * DAY, sleep: () => Promise.resolve() },
    keepJar: keepIt,
  });
  return kept;
}

it.each([
  ['once in ten days', withJar(RUNNING, 9), 11, 1],
  ['not twice in them', withJar(RUNNING, 11), 19, 0],
  ['not in the first ones', withJar(RUNNING, 0), 9, 0],
  ['not when the run has ended', withJar(runIn('ended', 0), 9), 11, 0],
  ['not where it is of no bucket', { ...RUNNING, createdAt: 0, updatedAt: 9 * DAY }, 11, 0],
] as const)('the jar of a run is kept %s', async (_what, record, days, times) => {
  expect(await keptAt(record, days)).toEqual(Array(times).fill(PINNED));
});

it('a jar that could not be kept ends no run', async () => {
  expect(await keptAt(withJar(RUNNING, 9), 11, () => Promise.reject(new Error('no answer')))).toEqual([PINNED]);
});
