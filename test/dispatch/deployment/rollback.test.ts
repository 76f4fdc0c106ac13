import { describe, expect, it } from 'vitest';
import { DeploymentsWorld, endsAfter, REFUSED, stream, TAKES_NONE } from '../world/deployments-world.ts';
import type { Fate } from '../world/streams-world.ts';
import { deploymentEvents } from '../../prove/deployments/told.ts';
import type { FaultKind } from '../../prove/faults.ts';

const MINUTE = 60_000;
const PROBATION = '2m';

const version = (text: string, job: Record<string, unknown> = {}, spec: Record<string, unknown> = {}) =>
  stream(spec, { probation: PROBATION, args: [text], ...job });

/** The second run, of the second version, has this fate; the first has run for five minutes. */
async function upgraded(second: Fate, job: Record<string, unknown> = {}): Promise<DeploymentsWorld> {
  const world = new DeploymentsWorld((run) => (run === 2 ? second : {}));
  await upgradeIn(world, job);
  return world;
}

async function upgradeIn(world: DeploymentsWorld, job: Record<string, unknown> = {}): Promise<void> {
  await world.request(version('one', job));
  await world.pass(30_000);
  world.letGoBy(4 * MINUTE);
  await world.pass(30_000);
  await world.request(version('two', job));
  await world.pass(30_000);
}

const argsOf = (world: DeploymentsWorld) => world.runs.map(({ job }) => job?.args[0]);

describe('a generation is stable', () => {
  it('at the end of its probation, when it runs, has a checkpoint of its own and few restarts', async () => {
    const world = new DeploymentsWorld(() => ({ restarts: 3 }));
    await world.request(version('one'));
    await world.pass(110_000);
    expect(world.deployed.stable).toBeUndefined();
    await world.pass(30_000);
    expect(world.deployed.stable).toMatchObject({ generation: 1 });
    expect(world.told).toEqual(['accepted 1', 'started 1', 'stable 1']);
    await world.passLong(20 * MINUTE);
    expect(world.told).toHaveLength(3);
  });

  it('when it was stopped in good order before that', async () => {
    const world = new DeploymentsWorld();
    await world.request(version('one'));
    await world.pass(30_000);
    await world.request(version('two'));
    await world.pass(30_000);
    const [handedOver] = world.deployed.snapshots;
    expect(world.deployed.stable).toMatchObject({ generation: 1, left: handedOver?.snapshot });
    expect(world.told).toContain('stable 1');
  });

  it('never while it is restarted again and again; and later, when it is not', async () => {
    let restarts = 4;
    const world = new DeploymentsWorld(() => ({ restarts }));
    await world.request(version('one'));
    await world.pass(MINUTE);
    expect(world.told.at(-1)).toBe('unstable 1');
    expect(world.deployed.run?.unstable?.message).toBe('It was restarted 4 times');
    restarts = 9;
    await world.pass(2 * MINUTE);
    expect(world.deployed.stable).toBeUndefined();
    await world.passUntil(({ told }) => told.at(-1) === 'stable 1', 4 * MINUTE);
    expect(world.deployed.stable).toMatchObject({ generation: 1 });
    expect(world.told.slice(2)).toEqual(['unstable 1', 'stable 1']);
    expect(world.runs).toHaveLength(1);
  });

  it('and keeps what it started from until then', async () => {
    const world = await upgraded({}, { savepointHistory: { count: 1 }, savepointInterval: '20s' });
    const left = world.deployed.stable?.left?.path ?? '';
    await world.pass(MINUTE);
    expect(world.deployed.run?.checkpoints?.own).toBe(true);
    expect(world.hasState(left)).toBe(true);
    await world.passUntil(() => !world.hasState(left), 5 * MINUTE);
    expect(world.deployed.stable).toMatchObject({ generation: 2 });
    expect(world.hasState(left)).toBe(false);
    expect(world.violations).toEqual([]);
  });
});

describe('a generation is rolled back by itself', () => {
  it.each<readonly [string, Fate, string]>([
    ['cannot take its state', REFUSED, 'StateIncompatible'],
    ['fails before its first checkpoint', endsAfter(4_000), 'JobFailed'],
    ['is restarted too often', { ...TAKES_NONE, restarts: 4 }, 'NotStable'],
    ['completes no checkpoint in its probation', TAKES_NONE, 'NotStable'],
  ])('when it %s', async (_what, fate, reason) => {
    const world = await upgraded(fate);
    await world.passUntil(({ told }) => told.at(-1) === 'rolled-back 3', 5 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 3, reached: 3, stable: { generation: 1 } });
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    const [, second, third] = world.runs;
    expect(third?.startFrom).toEqual(second?.startFrom);
    expect(world.begun[2]).toMatchObject({ path: third?.startFrom?.path, newest: third?.startFrom?.path });
    const [, rejected, again] = world.deployed.generations;
    expect(rejected?.rejected).toMatchObject({ reason });
    expect(again).toMatchObject({ rollbackOf: 2, by: 'rollback of generation 2', at: rejected?.at });
    const [why] = deploymentEvents(world).filter(({ data }) => data.state === 'rolling-back');
    expect(why?.data).toMatchObject({ generation: 2, reason, snapshot: { path: second?.startFrom?.path } });
    expect(why?.data.choices?.join()).toContain('deployments upgrade orders --to 2');
    expect(world.told.slice(-2)).toEqual(['rolling-back 2', 'rolled-back 3']);
    world.letGoBy(58 * MINUTE);
    await world.pass(2 * MINUTE);
    expect(world.runs).toHaveLength(3);
    expect(world.violations).toEqual([]);
  });

  it('from the checkpoint that the last one left, too', async () => {
    const world = await upgraded(REFUSED, { upgradeMode: 'last-state' });
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    expect(world.runs[2]?.startFrom).toMatchObject({ kind: 'checkpoint', path: world.runs[1]?.startFrom?.path });
  });

  it('and goes on with its own first checkpoint, when that is complete before it is gone', async () => {
    const world = new DeploymentsWorld((run) => (run === 2 ? TAKES_NONE : {}));
    world.plans.before(/ flink cancel orders-/, () => world.checkpointOf(2));
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two'));
    await world.pass(4 * MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'two']);
    expect(world.runs[2]?.startFrom?.run).toBe(world.runs[1]?.runId);
    expect(world.deployed.generations).toHaveLength(2);
  });
});

describe('a generation is not rolled back by itself', () => {
  it('once it has completed a checkpoint: a person decides, by a command', async () => {
    const world = await upgraded(endsAfter(25_000));
    await world.pass(MINUTE);
    const { state, settled, stable } = world.deployed;
    expect(state).toBe('blocked');
    expect(settled?.message).toMatch(/no generation takes its place by itself, since it has completed checkpoint s3/);
    expect(settled?.choices.join()).toContain('deployments rollback orders --accept-duplicates');
    world.letGoBy(58 * MINUTE);
    await world.pass(2 * MINUTE);
    expect(world.runs).toHaveLength(2);
    await expect(world.operate({ kind: 'rollback', acceptDuplicates: false })).rejects.toMatchObject({
      field: 'acceptDuplicates',
    });
    await world.operate({ kind: 'rollback', acceptDuplicates: true });
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    expect(world.runs[2]?.startFrom).toEqual(stable?.left);
    expect(world.told.at(-1)).toBe('rolled-back 3');
    expect(world.deployed.generations[1]?.rejected).toBeDefined();
  });

  it('while it runs and has new state, although it is not stable', async () => {
    const world: DeploymentsWorld = new DeploymentsWorld((run) => ({
      restarts: run === 2 && world.hasCompleted(2) ? 4 : 0,
    }));
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two'));
    await world.passLong(10 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.runs).toHaveLength(2);
    expect(world.told.filter((it) => it === 'unstable 2')).toHaveLength(1);
  });

  it.each<readonly [string, Record<string, unknown>]>([
    ['its spec says manual', { rollback: 'manual' }],
    ['it started empty', { upgradeMode: 'stateless' }],
  ])('where %s', async (_why, job) => {
    const world = new DeploymentsWorld((run) => (run === 2 ? REFUSED : {}));
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two', job));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'blocked', settled: { reason: 'StateIncompatible' } });
    expect(world.runs).toHaveLength(2);
  });

  it.each<readonly [string, Fate, FaultKind | undefined]>([
    ['its first checkpoint is under way', { ...TAKES_NONE, neverCompletes: true }, undefined],
    ['its JobManager does not say how it goes', {}, 'refused'],
  ])('while %s', async (_why, fate, answer) => {
    const world = new DeploymentsWorld((run) => (run === 2 ? fate : {}));
    world.plans.when(/ flink checkpoints orders-/, () => (world.runs.length === 1 ? undefined : answer));
    await upgradeIn(world);
    await world.pass(3 * MINUTE);
    world.letGoBy(15 * MINUTE);
    await world.pass(2 * MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.deployed).toMatchObject({ state: 'running', stable: { generation: 1 } });
  });

  it('twice: what it was rolled back to fails, and a person decides', async () => {
    const world = new DeploymentsWorld((run) => (run === 1 ? {} : REFUSED));
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two'));
    await world.passUntil(({ deployed }) => deployed.state === 'blocked', 5 * MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    expect(world.deployed).toMatchObject({ state: 'blocked', settled: { generation: 3 } });
  });

  it('when another one is wanted by then', async () => {
    const world = await upgraded({ ...TAKES_NONE, ...endsAfter(40_000) });
    await world.request(version('three', { upgradeMode: 'last-state' }));
    await world.pass(MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'three']);
    expect(world.deployed.generations.some(({ rollbackOf }) => rollbackOf !== undefined)).toBe(false);
  });
});

describe('a generation that was rolled back', () => {
  it('is not tried again, and all else that is wanted holds', async () => {
    const world = await upgraded(REFUSED);
    await world.request(version('two'));
    await world.pass(MINUTE);
    expect(world.told.slice(-2)).toEqual(['accepted 4', 'rejected 4']);
    expect(world.runs).toHaveLength(3);
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 4, reached: 4 });
    await world.request(version('two', { state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployed.state).toBe('suspended');
    await world.request(version('two', { state: 'running' }));
    await world.pass(MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'one']);
  });

  it('is tried again when it has changed', async () => {
    const world = await upgraded(REFUSED);
    await world.request(version('two', { allowNonRestoredState: true }));
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'two']);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 4 });
  });

  it.each(['restartNonce', 'order'])('is tried again when it is asked for, by %s', async (how) => {
    const world = await upgraded(REFUSED);
    if (how === 'order') await world.operate({ kind: 'upgrade', to: 2 });
    else await world.request(version('two', {}, { restartNonce: 1 }));
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'two']);
    expect(world.deployed.generations[1]?.rejected).toBeDefined();
    await world.pass(5 * MINUTE);
    expect(world.deployed.generations[1]?.rejected).toBeUndefined();
  });

  it('is what is wanted in a deployment that was deleted and is made anew', async () => {
    const world = await upgraded(REFUSED);
    await world.operate({ kind: 'delete', purge: false });
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'deleted' });
    await world.request(version('two'));
    await world.pass(30_000);
    expect(argsOf(world).at(-1)).toBe('two');
    expect(world.deployed.stable).toBeUndefined();
  });

  it('stays what it is while the stream is restarted', async () => {
    const world = await upgraded(REFUSED);
    await world.operate({ kind: 'restart' });
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'one']);
  });
});

it('goes back to another snapshot at a person’s word, and to none that is being deleted', async () => {
  const world = await upgraded({});
  const to = world.deployed.snapshots[0]?.snapshot.path ?? '';
  await world.operate({ kind: 'rollback', to, acceptDuplicates: true });
  await world.pass(30_000);
  expect(argsOf(world)).toEqual(['one', 'two', 'one']);
  expect(world.runs[2]?.startFrom?.path).toBe(to);
  await expect(world.operate({ kind: 'rollback', acceptDuplicates: true })).rejects.toMatchObject({
    field: 'generation',
  });
});
