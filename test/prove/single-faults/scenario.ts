import { expect, it } from 'vitest';
import type { RunId } from '../../../lib/core/ids.ts';
import type { Fault, FaultKind, Script } from '../faults.ts';
import type { Program } from '../servers/flink.ts';
import type { Wish } from '../workload.ts';
import { World, type Plan } from '../world.ts';

export interface Scenario {
  readonly spec: Readonly<Record<string, unknown>>;
  /** As the run ends where nothing goes wrong. */
  readonly outcome: string;
  /** All that its events tell, and how many clusters it makes, whichever one request fails or function dies. */
  readonly story?: { readonly states: readonly string[]; readonly clusters: number };
  /** Is struck by faults after which its story is the same, and by no others. */
  readonly onlyPassing?: true;
  readonly fromBucket?: boolean;
  readonly cancels?: readonly number[];
  /** By attempt. */
  readonly programs?: readonly Program[];
}

const duplicates: Script = (_question, kinds) => kinds.find((kind) => kind === 'duplicated');

type Ways = Omit<Plan, 'seed' | 'workload'> & { readonly losesRunMessages?: boolean };

/** Its one job finishes, soon. */
export const FINISHES: Program = { restAfter: 600, runsAfter: 1_100, endsAfter: 2_100, end: 'FINISHED' };
export const SUCCEEDS = { outcome: 'succeeded', story: { states: ['accepted', 'started', 'succeeded'], clusters: 1 } };

const SEED = 6;
/** After these all goes on as it would have gone: one request fails, or one function dies, before or after its effect. */
const ENDED: readonly FaultKind[] = ['crash-before', 'crash-after'];
const PASSING: readonly FaultKind[] = ['refused', 'lost', ...ENDED];

async function play(scenario: Scenario, { losesRunMessages = false, ...ways }: Ways): Promise<World> {
  const { spec, fromBucket = false, cancels = [], programs } = scenario;
  const wish: Wish = {
    name: 'r1',
    kind: 'message',
    at: 0,
    spec: {
      name: 'r1',
      image: 'flink:2.3.0',
      retry: { attempts: 2, backoff: '1s' },
      // A message that a dead function had is shown again after six minutes.
      deadlines: scenario.story === undefined ? { start: '3m', run: '2m' } : { start: '30m', run: '30m' },
      ...spec,
    },
    streams: false,
    fromBucket,
    idempotencyKey: 'key-r1',
    sends: 1,
    conflicts: false,
    cancels,
  };
  const workload = { wishes: [wish], quota: undefined, rate: 0, mostFaults: 0, losesRunMessages };
  const world = new World({ seed: SEED, workload, ...(programs && { programs }), ...ways });
  const clusters: string[] = [];
  world.kubernetes.watchers.push({
    created: ({ kind, name, owners }) => void (kind === 'Deployment' && owners.length === 0 && clusters.push(name)),
    deleted: () => undefined,
    gone: () => undefined,
  });
  await world.live();
  expect(world.invariants.violations).toEqual([]);
  const struck = ways.faults ?? [];
  if (struck.length === 0 || (scenario.story !== undefined && struck.every(passes))) {
    checkStory(scenario, world, clusters);
  }
  return world;
}

/**
 * Of a request of a function, and not of what happens in Kubernetes or Flink. A function that dies over a half-made cluster
 * leaves it alone for minutes, in which its JobManager may crash again and again: that story is another one.
 */
function passes({ at, kind }: Fault): boolean {
  return at.includes(' · ') && PASSING.includes(kind) && !(ENDED.includes(kind) && at.includes(' · k8s POST '));
}

function checkStory({ story, outcome }: Scenario, world: World, clusters: readonly string[]): void {
  expect(world.invariants.recordNamed('r1')?.outcome?.state).toBe(outcome);
  const letters = new Set(world.letters.map(({ attributes }) => attributes['reason']));
  expect(letters).toEqual(new Set(outcome === 'rejected' ? ['NotAllowed'] : []));
  if (story === undefined) return;
  expect(statesOf(world, world.expected.get('r1'))).toEqual(story.states);
  expect(clusters).toHaveLength(story.clusters);
}

/** Of the events by their ids: a bus may deliver one twice. */
function statesOf({ bus }: World, runId: RunId | undefined): readonly string[] {
  const byId = new Map(bus.delivered.filter(({ subject }) => subject === runId).map((event) => [event.id, event]));
  return [...byId.values()].map(({ data }) => data.state);
}

/** The tests of a scenario. */
export function singleFaults(scenario: Scenario): void {
  it('keeps its promises whichever one fault strikes, and its story where the fault passes', () =>
    strikeEach(scenario));

  it('is the same when every message comes several times', () => play(scenario, { faults: [], script: duplicates }));

  it('is the same when no function waits by itself', () => play(scenario, { faults: [], inlineWait: 0 }));
}

/** Plays the scenario once with each fault that could strike in it. */
async function strikeEach(scenario: Scenario): Promise<void> {
  const possible = (await play(scenario, { faults: [] })).sim.faults.possible();
  expect(possible.length).toBeGreaterThan(20);
  for (const fault of scenario.onlyPassing === true ? possible.filter(passes) : possible) {
    await strike(scenario, fault, false);
    // Its message may be lost with a function that has died; then the sweeper carries the run on.
    if (scenario.story !== undefined && ENDED.includes(fault.kind) && passes(fault))
      await strike(scenario, fault, true);
  }
}

async function strike(scenario: Scenario, fault: Fault, losesRunMessages: boolean): Promise<void> {
  try {
    const { sim } = await play(scenario, { faults: [fault], losesRunMessages });
    if (!losesRunMessages) expect(sim.faults.struck).toEqual([fault]);
  } catch (cause) {
    const how = `${fault.at}: ${fault.kind}${losesRunMessages ? ', messages lost' : ''}`;
    throw new Error(`${how}: ${String(cause)}`, { cause });
  }
}
