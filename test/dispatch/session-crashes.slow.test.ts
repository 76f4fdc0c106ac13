import { describe, expect, it } from 'vitest';
import { SINGLE_FAULTS } from './world/effects.ts';
import { QUICK, type SessionJob } from './world/fake-sessions.ts';
import { inPool, poolRef } from './world/in-session.ts';
import { expectClosedCleanly } from './world/invariants.ts';
import { jobMessage, World, type WorldOptions } from './world/world.ts';

const MINUTE = 60_000;

const SCENARIOS: readonly {
  readonly name: string;
  readonly jobs: readonly SessionJob[];
  readonly spec: Record<string, unknown>;
  readonly states: readonly string[];
}[] = [
  { name: 'a run in a pool', jobs: [QUICK], spec: inPool, states: ['accepted', 'started', 'succeeded'] },
  {
    name: 'a run whose main() fails',
    jobs: [{ mainFails: { message: 'java.lang.Error: no', stackTrace: 'Caused by: java.lang.Error: no' } }],
    spec: inPool,
    states: ['accepted', 'failed'],
  },
];

describe.each(SCENARIOS)('$name', ({ jobs, spec, states }) => {
  async function play(options: WorldOptions): Promise<World> {
    const world = new World(options);
    world.sessions.jobs = jobs;
    const { runId } = await world.request(jobMessage(spec));
    await world.drain();
    expect(world.states(runId)).toEqual(states);
    expect(world.sessions.submitted).toHaveLength(states.includes('started') ? 1 : 0);
    const ref = poolRef(world, runId);
    expect([world.sessions.jarsOf(ref), world.sessions.liveJobs(ref)]).toEqual([[], []]);
    expect(world.leases.all).toMatchObject([{ state: 'open', runs: {} }]);
    expect(world.clusters.created).toHaveLength(1);
    world.clock.time += 6 * MINUTE;
    for (let sweeps = 0; sweeps < 3; sweeps += 1) {
      await world.sweep();
      world.clock.time += 6 * MINUTE;
    }
    expect(world.clusters.standing(ref)).toBeUndefined();
    await expectClosedCleanly(world, runId);
    return world;
  }

  it.each(SINGLE_FAULTS)('survives the $kind $when any one effect', async (fault) => {
    const { names } = (await play({})).effects;
    expect(names).toEqual(expect.arrayContaining(['jars.upload', 'jars.run', 'leases.write', 'jars.remove']));
    for (const [at, name] of names.entries()) {
      try {
        const world = await play({ fault: { ...fault, at } });
        expect(world.effects.struck).toBe(true);
      } catch (cause) {
        throw new Error(`${fault.kind} ${fault.when} ${at}: ${name}: ${String(cause)}`, { cause });
      }
    }
  });

  it('is the same when every run message comes three times', async () => {
    await play({ deliveries: 3 });
  });
});
