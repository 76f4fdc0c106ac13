import { expect } from 'vitest';
import type { Fault } from '../faults.ts';
import type { Wish } from '../workload.ts';
import { World } from '../world.ts';

export interface Scenario {
  readonly spec: Readonly<Record<string, unknown>>;
  /** As the run ends where nothing goes wrong. */
  readonly outcome: string;
  readonly fromBucket?: boolean;
  readonly cancels?: readonly number[];
}

/** In its world both attempts of r1 finish, soon. */
const SEED = 6;

async function play({ spec, fromBucket = false, cancels = [] }: Scenario, faults: readonly Fault[]): Promise<World> {
  const wish: Wish = {
    name: 'r1',
    kind: 'message',
    at: 0,
    spec: {
      name: 'r1',
      image: 'flink:2.3.0',
      retry: { attempts: 2, backoff: '1s' },
      deadlines: { start: '3m', run: '2m' },
      ...spec,
    },
    streams: false,
    fromBucket,
    idempotencyKey: 'key-r1',
    sends: 1,
    conflicts: false,
    cancels,
  };
  const workload = { wishes: [wish], quota: undefined, rate: 0, mostFaults: 0, losesRunMessages: false };
  const world = new World({ seed: SEED, workload, faults });
  await world.live();
  return world;
}

/** Plays the scenario once with each fault that could strike in it. */
export async function strikeEach(scenario: Scenario): Promise<void> {
  const healthy = await play(scenario, []);
  expect(healthy.invariants.violations).toEqual([]);
  expect(healthy.invariants.recordNamed('r1')?.outcome?.state).toBe(scenario.outcome);
  const { possible } = healthy.sim.faults;
  expect(possible.length).toBeGreaterThan(20);
  for (const fault of possible) {
    const { invariants, sim } = await play(scenario, [fault]);
    expect(invariants.violations, `${fault.at}: ${fault.kind}`).toEqual([]);
    expect(sim.faults.struck).toEqual([fault]);
  }
}
