import { describe, expect, it } from 'vitest';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { StreamConfig } from '../../prove/streams/stream-job.ts';
import { DeploymentsWorld, stream } from '../world/deployments-world.ts';
import type { Fate } from '../world/streams-world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ADAPTIVE = { 'jobmanager.scheduler': 'adaptive', 'execution.checkpointing.dir': 's3://state/chk' };
const AUTOSCALE = { min: 2, max: 6, stabilizationWindow: '30s' };

const spec = (job = {}, autoscale: object = AUTOSCALE) =>
  stream(
    { flinkConfiguration: ADAPTIVE },
    { upgradeMode: 'last-state', parallelism: 2, probation: '30s', autoscale, ...job },
  );

/** What its jobs have to do is what the test says. */
class LoadedWorld extends DeploymentsWorld {
  load: ReturnType<NonNullable<StreamConfig['load']>> = { subtasks: 1 };

  constructor(fate: Fate = {}) {
    super(() => ({ load: () => this.load, ...fate }));
  }
}

async function stable(fate: Fate = {}): Promise<LoadedWorld> {
  const world = new LoadedWorld(fate);
  await world.request(spec());
  await world.pass(90 * SECOND);
  expect(world.deployed).toMatchObject({ state: 'running', stable: { generation: 1 } });
  return world;
}

function scales({ generations }: DeploymentRecord): readonly (number | undefined)[] {
  return generations.map(({ scale }) => scale?.parallelism);
}

describe('a job whose load is followed', () => {
  it('has more subtasks when there is more to do, and fewer later, in one run', async () => {
    const world = await stable();
    world.load = { subtasks: 4 };
    await world.pass(3 * MINUTE);
    const { deployed } = world;
    expect(scales(deployed)).toEqual([2, 4, 6]);
    expect(deployed).toMatchObject({ state: 'running', reached: 3 });
    expect(deployed.generations[1]).toMatchObject({ by: 'autoscale', jobIn: deployed.generations[0]?.requestId });
    const accepted = deployed.events.find(({ type, generation }) => type === 'accepted' && generation === 2);
    expect(accepted?.message).toBe(
      'The busiest vertex works 100 % of its time in 2 subtasks: job.autoscale has it run in 4',
    );
    world.load = { subtasks: 1 };
    await world.pass(6 * MINUTE);
    expect(scales(world.deployed).at(-1)).toBe(2);
    expect(world.runs).toHaveLength(1);
    const times = world.deployed.generations.flatMap(({ autoscaledAt }) => autoscaledAt ?? []);
    expect(times.slice(1).every((at, index) => at - (times[index] ?? 0) >= 30 * SECOND)).toBe(true);
    expect(world.violations).toEqual([]);
  });

  it('goes on with its parallelism in a new program, whatever that begins with, and after it was suspended', async () => {
    const world = await stable();
    world.load = { subtasks: 2.5 };
    await world.pass(2 * MINUTE);
    expect(scales(world.deployed)).toEqual([2, 4]);
    await world.request(spec({ args: ['two'] }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3 });
    expect(world.runs.at(-1)?.job?.options['parallelism.default']).toBe('4');
    for (const kind of ['suspend', 'resume'] as const) {
      await world.operate({ kind });
      await world.pass(MINUTE);
    }
    expect(world.runs.at(-1)?.job?.options['parallelism.default']).toBe('4');
    await world.request(spec({ args: ['two'] }, { ...AUTOSCALE, max: 3 }));
    await world.pass(MINUTE);
    expect(scales(world.deployed).at(-1)).toBe(3);
    expect(world.violations).toEqual([]);
  });

  it('is not touched by its load before it is stable, nor without a rule', async () => {
    const world = new LoadedWorld();
    world.plans.strike(/ flink checkpoints orders-/, 'refused', Infinity);
    world.load = { subtasks: 9 };
    await world.request(spec());
    await world.pass(5 * MINUTE);
    expect(scales(world.deployed)).toEqual([2]);
    const other = new LoadedWorld();
    other.load = { subtasks: 9 };
    await other.request(stream({ flinkConfiguration: ADAPTIVE }, { upgradeMode: 'last-state', parallelism: 2 }));
    await other.passLong(15 * MINUTE);
    expect(scales(other.deployed)).toEqual([2]);
  });

  it('loses no subtasks while nobody knows what one of its vertices has to do, and gains none without any measure', async () => {
    const world = await stable();
    world.load = { subtasks: 2.5 };
    await world.pass(2 * MINUTE);
    expect(scales(world.deployed)).toEqual([2, 4]);
    world.load = { subtasks: 0.5, measured: 1 };
    await world.pass(6 * MINUTE);
    world.load = { subtasks: 9, measured: 0 };
    await world.pass(6 * MINUTE);
    expect(scales(world.deployed)).toEqual([2, 4]);
    world.load = { subtasks: 9, measured: 1 };
    await world.pass(MINUTE);
    expect(scales(world.deployed)).toEqual([2, 4, 6]);
  });

  it.each(['never', 'refused'] as const)(
    'runs on when another parallelism cannot be had (%s), which is told, and tried again later',
    async (rescales) => {
      const world = await stable({ rescales });
      world.load = { subtasks: 4 };
      await world.pass(4 * MINUTE);
      expect(world.runs.map(({ state }) => state)).toEqual(['running']);
      expect(world.runs[0]).not.toHaveProperty('stopRequested');
      expect(world.deployed).toMatchObject({ settled: { generation: 2, reason: 'SlotsUnavailable' } });
      expect(world.told.at(-1)).toBe('upgrade-failed 2');
      await world.pass(6 * MINUTE);
      expect(world.deployed.generations.length).toBeGreaterThan(2);
      expect(world.runs).toHaveLength(1);
    },
  );

  it('has no parallelism outside of its bounds by an order', async () => {
    const world = await stable();
    const order = (parallelism: number) => world.operate({ kind: 'scale', parallelism });
    await expect(order(7)).rejects.toThrow('job.autoscale has it between 2 and 6: 7 is not');
    await order(5);
    await world.pass(20 * SECOND);
    expect(scales(world.deployed).at(-1)).toBe(5);
  });
});
