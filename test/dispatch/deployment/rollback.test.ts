import { describe, expect, it } from 'vitest';
import { orderDeployment } from '../../../lib/dispatch/deployment/order.ts';
import { stream, StreamWorld, type Fate } from './stream-world.ts';

const MINUTE = 60_000;
const PROBATION = '2m';

const version = (text: string, job: Record<string, unknown> = {}, spec: Record<string, unknown> = {}) =>
  stream(spec, { probation: PROBATION, args: [text], ...job });

/** The second run, of the second version, has this fate; the first has run for five minutes. */
async function upgraded(second: Fate, job: Record<string, unknown> = {}): Promise<StreamWorld> {
  const world = new StreamWorld({ fate: (run) => (run === 2 ? second : {}) });
  await world.request(version('one', job));
  await world.pass(5 * MINUTE);
  await world.request(version('two', job));
  await world.pass(30_000);
  return world;
}

const REFUSED: Fate = { ends: { after: 4_000, how: 'refused' } };
const argsOf = (world: StreamWorld) => world.runs.map(({ job }) => job?.args[0]);

function order(world: StreamWorld, how: Parameters<typeof orderDeployment>[1]): ReturnType<typeof orderDeployment> {
  return orderDeployment(world.deployment.id, how, { by: 'a person', once: JSON.stringify(how) }, world.dispatch);
}

describe('a generation is stable', () => {
  it('at the end of its probation, when it runs, has a checkpoint of its own and few restarts', async () => {
    const world = new StreamWorld({ fate: () => ({ restarts: 3 }) });
    await world.request(version('one'));
    await world.pass(110_000);
    expect(world.deployment.stable).toBeUndefined();
    await world.pass(30_000);
    expect(world.deployment.stable).toMatchObject({ generation: 1 });
    expect(world.told).toEqual(['accepted 1', 'started 1', 'stable 1']);
    await world.pass(20 * MINUTE);
    expect(world.told).toHaveLength(3);
  });

  it('when it was stopped in good order before that', async () => {
    const world = new StreamWorld();
    await world.request(version('one'));
    await world.pass(30_000);
    await world.request(version('two'));
    await world.pass(30_000);
    const [handedOver] = world.deployment.snapshots;
    expect(world.deployment.stable).toMatchObject({ generation: 1, left: handedOver?.snapshot });
    expect(world.told).toContain('stable 1');
  });

  it('never while it is restarted again and again; and later, when it is not', async () => {
    let restarts = 4;
    const world = new StreamWorld({ fate: () => ({ restarts }) });
    await world.request(version('one'));
    await world.pass(MINUTE);
    expect(world.told.at(-1)).toBe('unstable 1');
    expect(world.deployment.run?.unstable?.message).toBe('It was restarted 4 times');
    restarts = 9;
    await world.pass(2 * MINUTE);
    expect(world.deployment.stable).toBeUndefined();
    await world.pass(4 * MINUTE);
    expect(world.deployment.stable).toMatchObject({ generation: 1 });
    expect(world.told.slice(2)).toEqual(['unstable 1', 'stable 1']);
    expect(world.runs).toHaveLength(1);
  });

  it('and keeps what it started from until then', async () => {
    const world = await upgraded({}, { savepointHistory: { count: 1 }, savepointInterval: '20s' });
    const left = world.deployment.stable?.left?.path ?? '';
    await world.pass(MINUTE);
    expect(world.deployment.run?.checkpoints?.own).toBe(true);
    expect(world.state.complete.has(left)).toBe(true);
    await world.pass(5 * MINUTE);
    expect(world.deployment.stable).toMatchObject({ generation: 2 });
    expect(world.state.complete.has(left)).toBe(false);
    expect(world.violations).toEqual([]);
  });
});

describe('a generation is rolled back by itself', () => {
  it.each<readonly [string, Fate, string]>([
    ['cannot take its state', REFUSED, 'StateIncompatible'],
    ['fails before its first checkpoint', { ends: { after: 4_000, how: 'failed' } }, 'JobFailed'],
    ['is restarted too often', { takesNone: true, restarts: 4 }, 'NotStable'],
    ['completes no checkpoint in its probation', { takesNone: true }, 'NotStable'],
  ])('when it %s', async (_what, fate, reason) => {
    const world = await upgraded(fate);
    await world.pass(5 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', wanted: 3, reached: 3, stable: { generation: 1 } });
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    const [, second, third] = world.runs;
    expect(third?.startFrom).toEqual(second?.startFrom);
    expect(world.started[2]?.count).toBe(world.started[2]?.newest);
    const [, rejected, again] = world.deployment.generations;
    expect(rejected?.rejected).toMatchObject({ reason });
    expect(again).toMatchObject({ rollbackOf: 2, by: 'rollback of generation 2', at: rejected?.at });
    const told = world.parts.publisher.ofDeployments.map(({ event }) => event);
    const [why] = told.filter(({ data }) => data.state === 'rolling-back');
    expect(why?.data).toMatchObject({ generation: 2, reason, snapshot: { path: second?.startFrom?.path } });
    expect(why?.data.choices?.join()).toContain('deployments upgrade orders --to 2');
    expect(world.told.slice(-2)).toEqual(['rolling-back 2', 'rolled-back 3']);
    await world.pass(60 * MINUTE);
    expect(world.runs).toHaveLength(3);
    expect(world.violations).toEqual([]);
  });

  it('from the checkpoint that the last one left, too', async () => {
    const world = await upgraded(REFUSED, { upgradeMode: 'last-state' });
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    expect(world.runs[2]?.startFrom).toMatchObject({ kind: 'checkpoint', path: world.runs[1]?.startFrom?.path });
  });

  it('and goes on with its own first checkpoint, when that is complete before it is gone', async () => {
    const world: StreamWorld = new StreamWorld({
      fate: (run) => (run === 2 ? { takesNone: world.deployment.run?.stop === undefined } : {}),
    });
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two'));
    await world.pass(4 * MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'two']);
    expect(world.runs[2]?.startFrom?.run).toBe(world.runs[1]?.runId);
    expect(world.deployment.generations).toHaveLength(2);
  });
});

describe('a generation is not rolled back by itself', () => {
  it('once it has completed a checkpoint: a person decides, by a command', async () => {
    const world = await upgraded({ ends: { after: 25_000, how: 'failed' } });
    await world.pass(MINUTE);
    const { state, settled, stable } = world.deployment;
    expect(state).toBe('blocked');
    expect(settled?.message).toMatch(/no generation takes its place by itself, since it has completed checkpoint s3/);
    expect(settled?.choices.join()).toContain('deployments rollback orders --accept-duplicates');
    await world.pass(60 * MINUTE);
    expect(world.runs).toHaveLength(2);
    await expect(order(world, { kind: 'rollback', acceptDuplicates: false })).rejects.toMatchObject({
      field: 'acceptDuplicates',
    });
    await order(world, { kind: 'rollback', acceptDuplicates: true });
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    expect(world.runs[2]?.startFrom).toEqual(stable?.left);
    expect(world.told.at(-1)).toBe('rolled-back 3');
    expect(world.deployment.generations[1]?.rejected).toBeDefined();
  });

  it('while it runs and has new state, although it is not stable', async () => {
    const world: StreamWorld = new StreamWorld({
      fate: (run) => ({ restarts: run === 2 && world.hasState(world.runs[1]?.runId) ? 4 : 0 }),
    });
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two'));
    await world.pass(10 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2 });
    expect(world.runs).toHaveLength(2);
    expect(world.told.filter((it) => it === 'unstable 2')).toHaveLength(1);
  });

  it.each<readonly [string, Record<string, unknown>]>([
    ['its spec says manual', { rollback: 'manual' }],
    ['it started empty', { upgradeMode: 'stateless' }],
  ])('where %s', async (_why, job) => {
    const world = new StreamWorld({ fate: (run) => (run === 2 ? REFUSED : {}) });
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two', job));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'blocked', settled: { reason: 'StateIncompatible' } });
    expect(world.runs).toHaveLength(2);
  });

  it.each<readonly [string, Fate]>([
    ['its first checkpoint is under way', { takesNone: 'slow' }],
    ['its JobManager does not say how it goes', { isSilent: true }],
  ])('while %s', async (_why, fate) => {
    const world = await upgraded(fate);
    await world.pass(20 * MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.deployment).toMatchObject({ state: 'running', stable: { generation: 1 } });
  });

  it('twice: what it was rolled back to fails, and a person decides', async () => {
    const world = new StreamWorld({ fate: (run) => (run === 1 ? {} : REFUSED) });
    await world.request(version('one'));
    await world.pass(MINUTE);
    await world.request(version('two'));
    await world.pass(5 * MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'one']);
    expect(world.deployment).toMatchObject({ state: 'blocked', settled: { generation: 3 } });
  });

  it('when another one is wanted by then', async () => {
    const world = await upgraded({ ends: { after: 40_000, how: 'failed' }, takesNone: true });
    await world.request(version('three', { upgradeMode: 'last-state' }));
    await world.pass(MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'three']);
    expect(world.deployment.generations.some(({ rollbackOf }) => rollbackOf !== undefined)).toBe(false);
  });
});

describe('a generation that was rolled back', () => {
  it('is not tried again, and all else that is wanted holds', async () => {
    const world = await upgraded(REFUSED);
    await world.request(version('two'));
    await world.pass(MINUTE);
    expect(world.told.slice(-2)).toEqual(['accepted 4', 'rejected 4']);
    expect(world.runs).toHaveLength(3);
    expect(world.deployment).toMatchObject({ state: 'running', wanted: 4, reached: 4 });
    await world.request(version('two', { state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployment.state).toBe('suspended');
    await world.request(version('two', { state: 'running' }));
    await world.pass(MINUTE);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'one']);
  });

  it('is tried again when it has changed', async () => {
    const world = await upgraded(REFUSED);
    await world.request(version('two', { allowNonRestoredState: true }));
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'two']);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 4 });
  });

  it.each(['restartNonce', 'order'])('is tried again when it is asked for, by %s', async (how) => {
    const world = await upgraded(REFUSED);
    if (how === 'order') await order(world, { kind: 'upgrade', to: 2 });
    else await world.request(version('two', {}, { restartNonce: 1 }));
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'two']);
    expect(world.deployment.generations[1]?.rejected).toBeDefined();
    await world.pass(5 * MINUTE);
    expect(world.deployment.generations[1]?.rejected).toBeUndefined();
  });

  it('is what is wanted in a deployment that was deleted and is made anew', async () => {
    const world = await upgraded(REFUSED);
    await order(world, { kind: 'delete', purge: false });
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'deleted' });
    await world.request(version('two'));
    await world.pass(30_000);
    expect(argsOf(world).at(-1)).toBe('two');
    expect(world.deployment.stable).toBeUndefined();
  });

  it('stays what it is while the stream is restarted', async () => {
    const world = await upgraded(REFUSED);
    await order(world, { kind: 'restart' });
    await world.pass(30_000);
    expect(argsOf(world)).toEqual(['one', 'two', 'one', 'one']);
  });
});

it('goes back to another snapshot at a person’s word, and to none that is being deleted', async () => {
  const world = await upgraded({});
  const to = world.deployment.snapshots[0]?.snapshot.path ?? '';
  await order(world, { kind: 'rollback', to, acceptDuplicates: true });
  await world.pass(30_000);
  expect(argsOf(world)).toEqual(['one', 'two', 'one']);
  expect(world.runs[2]?.startFrom?.path).toBe(to);
  await expect(order(world, { kind: 'rollback', acceptDuplicates: true })).rejects.toMatchObject({
    field: 'generation',
  });
});
