import { describe, expect, it } from 'vitest';
import { runIdFor, type RunId } from '../../lib/core/ids.ts';
import { orderByMessage } from '../../lib/operate/message-order.ts';
import { orderRun } from '../../lib/operate/order-run.ts';
import type { OrderKind } from '../../lib/trigger/order.ts';
import { DeploymentsWorld, stream } from '../dispatch/world/deployments-world.ts';
import { FOREVER, jobMessage, QUEUE_ARN, World } from '../dispatch/world/simulated.ts';
import { CHECKPOINTS } from '../dispatch/world/streams-world.ts';
import { WAYS } from './ways.ts';

const person = { scope: { kind: 'all' }, by: 'a person', once: 'once' } as const;

describe.each(Object.entries(WAYS))('an order %s', (_name, way) => {
  const order = async (world: World, kind: OrderKind, runId: RunId): Promise<string | undefined> =>
    (await way(world, kind, runId, 'once')).refused;

  it('cancels a run that runs, once, however often it comes', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(30_000);
    expect(world.record(runId).state).toBe('running');
    expect(await order(world, 'cancel', runId)).toBeUndefined();
    const asked = world.record(runId).cancelRequested;
    expect(await order(world, 'cancel', runId)).toBeUndefined();
    expect(world.record(runId).cancelRequested).toEqual(asked);
    await world.drain();
    expect(world.record(runId)).toMatchObject({
      state: 'closed',
      outcome: { state: 'canceled', reason: 'JobCanceled' },
    });
    const closed = world.record(runId);
    expect(await order(world, 'cancel', runId)).toBeUndefined();
    expect(world.record(runId)).toEqual(closed);
    expect(world.invariants.violations).toEqual([]);
  });

  it('to cancel a run that waits lets no object of it be made', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const concurrency = { key: 'k', policy: 'queue' };
    const first = await world.request(jobMessage({ concurrency }));
    await world.drainFor(10_000);
    const second = await world.request(jobMessage({ concurrency }));
    await world.drainFor(10_000);
    expect(world.record(second.runId).state).toBe('waiting');
    expect(await order(world, 'cancel', second.runId)).toBeUndefined();
    await world.drainFor(10_000);
    expect(world.record(second.runId)).toMatchObject({ state: 'closed', outcome: { state: 'canceled' }, attempts: [] });
    expect(world.created(second.runId)).toEqual([]);
    expect(world.record(first.runId).state).toBe('running');
    expect(world.invariants.violations).toEqual([]);
  });

  it('to a run that is not there is refused at once', async () => {
    expect(await order(new World(), 'cancel', runIdFor('nobody'))).toBe('RunNotFound');
  });

  it.each(['stop', 'savepoint'] as const)('to %s a run that keeps no state is refused', async (kind) => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage());
    expect(await order(world, kind, runId)).toBe('InvalidSpec');
    expect(world.record(runId).state).toBe('accepted');
  });
});

describe('an order to a run of a stream', () => {
  const begun = async (): Promise<DeploymentsWorld> => {
    const world = new DeploymentsWorld();
    await world.request(stream());
    await world.pass(30_000);
    return world;
  };
  const runOf = ({ runs }: DeploymentsWorld): RunId => {
    const [run] = runs;
    if (run === undefined) throw new Error('the stream has no run');
    return run.runId;
  };

  it('stops it with its state, once', async () => {
    const world = await begun();
    const order = { kind: 'stop', runId: runOf(world) } as const;
    const first = await orderRun(order, person, world.dispatch);
    expect(await orderRun(order, person, world.dispatch)).toEqual(first);
    await world.pass(60_000);
    expect(world.deployed).toMatchObject({ state: 'suspended', wanted: 2, newest: { kind: 'savepoint' } });
    expect(world.runs).toMatchObject([{ outcome: { reason: 'StoppedWithSavepoint' } }]);
    expect(await orderRun(order, person, world.dispatch)).toEqual({ runId: order.runId, result: 'ended' });
    expect(world.violations).toEqual([]);
  });

  it('takes a savepoint of it, and lets it go on', async () => {
    const world = await begun();
    await orderRun({ kind: 'savepoint', runId: runOf(world) }, person, world.dispatch);
    await world.pass(60_000);
    expect(world.deployed).toMatchObject({ state: 'running', snapshots: [{ snapshot: { kind: 'savepoint' } }] });
    expect(world.violations).toEqual([]);
  });
});

describe('an order to scale', () => {
  const message = (runId: RunId) =>
    ({
      source: { kind: 'message', queueArn: QUEUE_ARN, messageId: 'm' },
      kind: 'scale',
      runId,
      parallelism: 4,
    }) as const;
  const depsOf = (world: DeploymentsWorld, tenants: object = {}) => {
    const deployment = { tenants } as never;
    return { ...world.dispatch, prepare: { deployment } } as never as Parameters<typeof orderByMessage>[1];
  };
  const adaptive = { 'jobmanager.scheduler': 'adaptive', 'execution.checkpointing.dir': CHECKPOINTS };

  it('gives its job another parallelism, once, however often its message comes', async () => {
    const world = new DeploymentsWorld();
    await world.request(stream({ flinkConfiguration: adaptive }, { upgradeMode: 'last-state', parallelism: 2 }));
    await world.pass(30_000);
    const [run] = world.runs;
    if (run === undefined) throw new Error('the stream has no run');
    const theirs = { theirs: { sources: [{ queue: QUEUE_ARN }] } };
    const refused = orderByMessage(message(run.runId), depsOf(world, theirs));
    await expect(refused).rejects.toMatchObject({ reason: 'RunNotFound', field: 'run' });
    await orderByMessage(message(run.runId), depsOf(world));
    await orderByMessage(message(run.runId), depsOf(world));
    await world.pass(30_000);
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 2, reached: 2 });
    expect(world.deployed.generations[1]).toMatchObject({
      by: `a message to ${QUEUE_ARN}`,
      scale: { parallelism: 4 },
    });
    expect(world.runs.map(({ runId }) => runId)).toEqual([run.runId]);
  });

  it('of a run that keeps no state is refused', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage());
    await expect(orderByMessage(message(runId), world.accept)).rejects.toMatchObject({ reason: 'InvalidSpec' });
  });
});

describe('an order by message', () => {
  it('of another tenant, or of none, is to no run that is there', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    const source = {
      kind: 'message',
      queueArn: 'arn:aws:sqs:eu-central-1:111122223333:theirs',
      messageId: '1',
    } as const;
    const theirs = { sources: [{ queue: source.queueArn }] };
    const order = { source, kind: 'cancel', runId } as const;
    const ask = (tenants: object) => {
      const deployment = { ...world.accept.prepare.deployment, tenants } as never;
      return orderByMessage(order, { ...world.accept, prepare: { ...world.accept.prepare, deployment } });
    };
    await expect(ask({ theirs })).rejects.toMatchObject({ reason: 'RunNotFound', field: 'run' });
    await expect(ask({ ours: { sources: [{ queue: QUEUE_ARN }] } })).rejects.toMatchObject({ reason: 'NotAllowed' });
    expect(world.record(runId).cancelRequested).toBeUndefined();
  });
});
