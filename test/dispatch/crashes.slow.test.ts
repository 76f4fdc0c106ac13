import { describe, expect, it } from 'vitest';
import { SINGLE_FAULTS } from './world/effects.ts';
import { crashedPods, HEALTHY } from './world/fake-flink.ts';
import { expectClosedCleanly } from './world/invariants.ts';
import { jobMessage, World, type WorldOptions } from './world/world.ts';

interface Scenario {
  readonly name: string;
  readonly spec: Record<string, unknown>;
  readonly prepare?: (world: World) => void;
  readonly states: readonly string[];
  readonly clusters: number;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a run that succeeds',
    spec: { concurrency: { key: 'k', policy: 'queue' } },
    states: ['accepted', 'started', 'succeeded'],
    clusters: 1,
  },
  {
    name: 'a run whose first JobManager crashes',
    spec: { retry: { attempts: 2, backoff: '5s' } },
    prepare: (world) => {
      world.clusters.looksToGo = 2;
      world.flink.behaviours = [{ pods: crashedPods }, HEALTHY];
    },
    states: ['accepted', 'attempt-failed', 'started', 'succeeded'],
    clusters: 2,
  },
  { name: 'a run that is rejected', spec: { image: 'evil:1' }, states: ['rejected'], clusters: 0 },
];

async function play(scenario: Scenario, options: WorldOptions): Promise<World> {
  const world = new World(options);
  scenario.prepare?.(world);
  const request = jobMessage(scenario.spec);
  const { runId } = await world.request(request);
  await world.drain();
  expect(world.states(runId)).toEqual(scenario.states);
  expect(world.created(runId)).toHaveLength(scenario.clusters);
  await expectClosedCleanly(world, runId);
  const letters = world.deadLetters.letters.map(({ reason }) => reason);
  expect(new Set(letters)).toEqual(new Set(scenario.clusters === 0 ? ['NotAllowed'] : []));
  return world;
}

describe.each(SCENARIOS)('$name', (scenario) => {
  it.each(SINGLE_FAULTS)('survives the $kind $when any one effect', async (fault) => {
    const { names } = (await play(scenario, {})).effects;
    expect(names.length).toBeGreaterThan(5);
    for (const [at, name] of names.entries()) {
      for (const losesMessages of fault.kind === 'crash' ? [false, true] : [false]) {
        try {
          const world = await play(scenario, { fault: { ...fault, at }, losesMessages });
          expect(world.effects.struck).toBe(true);
        } catch (cause) {
          throw new Error(
            `${fault.kind} ${fault.when} ${at}: ${name}, message lost: ${losesMessages}: ${String(cause)}`,
            { cause },
          );
        }
      }
    }
  });

  it('is the same when every run message comes three times', async () => {
    await play(scenario, { deliveries: 3 });
  });

  it('is the same when no function waits by itself', async () => {
    await play(scenario, { inlineWait: 0 });
  });
});
