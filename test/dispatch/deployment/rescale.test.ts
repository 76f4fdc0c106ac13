import { describe, expect, it } from 'vitest';
import { DeploymentsWorld, stream } from '../world/deployments-world.ts';
import { DIRECTORIES, type Fate } from '../world/streams-world.ts';

const MINUTE = 60_000;
const ADAPTIVE = { ...DIRECTORIES, 'jobmanager.scheduler': 'adaptive' };

const scaled = (parallelism: number, job: Record<string, unknown> = {}, options: Record<string, string> = ADAPTIVE) =>
  stream({ flinkConfiguration: options }, { probation: '1m', parallelism, ...job });

/** With a job that runs with parallelism 2, and is stable; `fate`: of this run. */
async function running(fate: Fate = {}, first = scaled(2)): Promise<DeploymentsWorld> {
  const world = new DeploymentsWorld((run) => (run === 1 ? fate : {}));
  await world.request(first);
  await world.pass(90_000);
  return world;
}

const parallelismOf = (world: DeploymentsWorld) => world.runs.at(-1)?.job?.options['parallelism.default'];

function scale(world: DeploymentsWorld, parallelism: number): ReturnType<DeploymentsWorld['operate']> {
  return world.operate({ kind: 'scale', parallelism });
}

describe('another parallelism alone', () => {
  it('is given to the job that runs, which goes on', async () => {
    const world = await running();
    await world.request(scaled(4));
    await world.pass(MINUTE);
    expect(world.scaled.history).toEqual([2, 4]);
    expect(world.scaled.keepsFixed).toBe(true);
    expect(world.runs).toHaveLength(1);
    expect(world.deployed).toMatchObject({
      ...{ state: 'running', wanted: 2, reached: 2, run: { generation: 2, rescales: 1 }, stable: { generation: 2 } },
    });
    expect(world.told.slice(-3)).toEqual(['accepted 2', 'rescaling 2', 'rescaled 2']);
    expect(world.deployed.events.at(-1)?.message).toBe('Parallelism 4 instead of 2, while the job runs on');
    // A next attempt begins with it.
    expect(parallelismOf(world)).toBe('4');
    expect(world.runs[0]).toMatchObject({
      deployment: { generation: 2 },
      attempts: [{ fixedVertices: ['c'.repeat(32)] }],
    });
    expect(world.violations).toEqual([]);
  });

  it('at a person’s word, up and down again', async () => {
    const world = await running();
    await scale(world, 6);
    await world.pass(MINUTE);
    await scale(world, 1);
    await world.pass(MINUTE);
    await scale(world, 2);
    await world.pass(MINUTE);
    expect(world.scaled.history).toEqual([2, 6, 1, 2]);
    expect(world.runs).toHaveLength(1);
    // What is sent again is what runs.
    await world.request(scaled(2, { savepointTriggerNonce: 1 }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ wanted: 5, reached: 5 });
    expect(world.scaled.history).toEqual([2, 6, 1, 2]);
  });

  it('is held to the slots that the job may have', async () => {
    const world = await running();
    await expect(scale(world, 10_000)).rejects.toMatchObject({
      ...{
        reason: 'InvalidSpec',
        field: 'parallelism',
        message: expect.stringMatching(/more than the \d+ slots/) as string,
      },
    });
  });

  it('is an upgrade without the adaptive scheduler', async () => {
    const plain = { ...ADAPTIVE, 'jobmanager.scheduler': 'default' };
    const world = await running({}, scaled(2, {}, plain));
    await scale(world, 4);
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(parallelismOf(world)).toBe('4');
    expect(world.told).toContain('upgraded 2');
    expect(world.told).not.toContain('rescaling 2');
  });

  it('and a restart is an upgrade', async () => {
    const world = await running();
    const both = stream({ flinkConfiguration: ADAPTIVE, restartNonce: 7 }, { probation: '1m', parallelism: 4 });
    await world.request(both);
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.scaled.history).toEqual([4]);
  });
});

describe('what cannot be changed in place', () => {
  it.each([
    ['is refused by Flink', { rescales: 'refused' }, /Another run takes its place, .* it does not like that/],
    ['does not come true in the probation', { rescales: 'never' }, /did not run with parallelism 4 within 9\d s/],
    ['is never heard of', { rescales: 'unheard' }, /did not run with parallelism 4 within 9\d s/],
  ] as const)('when it %s is an upgrade', async (_, fate, message) => {
    const world = await running(fate);
    await scale(world, 4);
    await world.pass(4 * MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.scaled.history).toEqual([4]);
    const events = world.deployed.events.slice(-5).map(({ type }) => type);
    expect(events).toEqual(['rescaling', 'upgrading', 'snapshot', 'upgraded', 'stable']);
    expect(world.deployed.events.find(({ type }) => type === 'upgrading')?.message).toMatch(message);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { generation: 2 } });
    const [first, second] = world.begun;
    expect(second?.path).toBe(second?.newest);
    expect(second?.path).toBeDefined();
    expect(first?.path).toBeUndefined();
  });

  it('from 1 is an upgrade: nobody can tell what the program holds there', async () => {
    const world = await running({}, scaled(1));
    await scale(world, 3);
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.deployed.events.find(({ type }) => type === 'upgrading')?.message).toContain('holds at 1');
  });

  it('beyond the key groups is refused, and the job is left alone', async () => {
    const world = await running();
    await scale(world, 25);
    await world.pass(5 * MINUTE);
    expect(world.runs).toHaveLength(1);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 1, settled: { reason: 'InvalidSpec' } });
    expect(world.deployed.settled?.message).toContain('24 key groups');
    await scale(world, 4);
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ reached: 3 });
    expect(world.scaled.history).toEqual([2, 4]);
  });
});

describe('what is wanted while a job is being rescaled', () => {
  it('as before is given back to it', async () => {
    const world = await running({ rescales: 'never' });
    await scale(world, 4);
    await world.pass(10_000);
    expect(world.deployed.state).toBe('rescaling');
    expect(world.scaled.requirements()['a'.repeat(32)]).toMatchObject({ upperBound: 4 });
    await scale(world, 2);
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(1);
    expect(world.scaled.requirements()['a'.repeat(32)]).toMatchObject({ upperBound: 2 });
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3, run: { generation: 3 } });
    expect(world.told).toContain('superseded 2');
    expect(parallelismOf(world)).toBe('2');
  });

  it('of another job ends it, and what follows has all of it', async () => {
    const world = await running({ rescales: 'never' });
    await scale(world, 4);
    await world.pass(10_000);
    await world.request(scaled(4, { args: ['other'] }));
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3, run: { generation: 3 } });
    expect(world.scaled.history).toEqual([4]);
  });

  it('is suspended and resumed', async () => {
    const world = await running({ rescales: 'never' });
    await scale(world, 4);
    await world.pass(10_000);
    await world.request(scaled(4, { state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'suspended', reached: 3 });
    await world.request(scaled(4));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 4 });
    expect(world.scaled.history).toEqual([4]);
  });
});

describe('restarts that a rescale brings', () => {
  it('do not make a generation unstable', async () => {
    const world = await running({ restarts: 4 }, scaled(2, { probation: '20m' }));
    await scale(world, 4);
    await world.pass(5_000);
    await scale(world, 2);
    await world.pass(5 * MINUTE);
    world.letGoBy(10 * MINUTE);
    await world.pass(5 * MINUTE);
    expect(world.told).not.toContain('unstable 3');
  });
});
