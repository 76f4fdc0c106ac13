import { describe, expect, it } from 'vitest';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { requestStop, type StopOrder } from '../../../lib/dispatch/state/request-stop.ts';
import { crashedPods } from '../scripted/fake-flink.ts';
import {
  attemptOf,
  CHECKPOINTS,
  checkpointNow,
  running,
  SAVEPOINTS,
  STREAM_FOREVER,
  streamRun,
} from '../scripted/stream.ts';
import { World } from '../scripted/world.ts';
import { jobMessage } from '../world/simulated.ts';

const UPGRADE = { by: 'deployment x', reason: 'ReplacedByNewerRun' } as const;

function stream(): World {
  const world = new World({ inlineWait: 0 });
  world.flink.behaviours = [STREAM_FOREVER];
  return world;
}

function stop(world: World, runId: RunId, order: Partial<StopOrder> = {}): Promise<boolean> {
  return requestStop(runId, { ...UPGRADE, mode: 'savepoint', ...order }, world.dispatch);
}

/** Its cluster is taken away by somebody else. */
function lose(world: World, runId: RunId): void {
  const { clusterId } = attemptOf(world, runId);
  world.clusters.vanish({ namespace: 'flink', clusterId });
}

describe('a stop with a savepoint', () => {
  it('ends the run with it, in a directory of its own', async () => {
    const world = stream();
    const runId = await streamRun(world);
    const { deployment } = await running(world, runId);
    expect(await stop(world, runId)).toBe(true);
    await world.drain();
    const run = world.record(runId);
    expect(run.outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint', flinkState: 'FINISHED' });
    expect(run.outcome).not.toHaveProperty('rootException');
    const directory = `${SAVEPOINTS}/${deployment?.id}/${runId}-1/`;
    expect(world.flink.streams.begun).toEqual([directory]);
    const { snapshot } = attemptOf(world, runId);
    expect(snapshot).toMatchObject({ kind: 'savepoint', run: runId, checkpointId: 1, format: 'CANONICAL' });
    expect(snapshot?.path.startsWith(directory)).toBe(true);
    const [, , completed] = world.events(runId);
    expect(completed?.data).toMatchObject({ reason: 'StoppedWithSavepoint', snapshot: { path: snapshot?.path } });
  });

  it('is looked at often while it is under way, and asked for once', async () => {
    const world = stream();
    world.flink.streams.ends = ['hangs'];
    const runId = await streamRun(world);
    await running(world, runId, 3_600_000);
    await stop(world, runId);
    const before = world.record(runId).step.number;
    await world.drainFor(30_000);
    expect(world.record(runId).step.number - before).toBeGreaterThan(8);
    expect(world.flink.streams.begun).toHaveLength(1);
  });

  it('stands when it is asked for again, by whoever', async () => {
    const world = stream();
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    expect(await stop(world, runId, { by: 'another' })).toBe(true);
    expect(world.record(runId).stopRequested).toMatchObject({ by: UPGRADE.by, savepoint: { ordinal: 1 } });
    await world.drain();
    expect(await stop(world, runId)).toBe(false);
  });

  it('has another try with another directory when Flink has failed, and its leftovers go', async () => {
    const world = stream();
    world.flink.streams.ends = ['fails', 'completes'];
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.flink.streams.begun.map((path) => path.slice(-3))).toEqual(['-1/', '-2/']);
    expect(world.state.asked.filter((one) => one.startsWith('remove'))).toEqual([
      expect.stringMatching(/-1\/$/) as string,
    ]);
  });

  it('lets the job run on when no savepoint can be had, and says so', async () => {
    const world = stream();
    world.flink.streams.ends = ['fails'];
    const runId = await streamRun(world, { plan: { savepointDeadline: 20_000 } });
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(60_000);
    const run = world.record(runId);
    expect(run.state).toBe('running');
    expect(run.stopRequested).toBeUndefined();
    expect(run.stopFailed).toMatchObject({ by: UPGRADE.by, reason: 'SavepointFailed' });
    expect(run.stopFailed?.message).toContain('expired (test)');
    expect(world.runQueue.deployments).toContainEqual({ version: 1, deployment: run.deployment?.id });
    const tries = world.flink.streams.begun.length;
    world.flink.streams.ends = ['completes'];
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.flink.streams.begun).toHaveLength(tries + 1);
    expect(new Set(world.flink.streams.begun).size).toBe(tries + 1);
  });

  it('takes the newest checkpoint instead, only where the job says so', async () => {
    const world = stream();
    world.flink.streams.ends = ['hangs'];
    const runId = await streamRun(world, { plan: { savepointDeadline: 20_000, fallback: 'last-state' } });
    await running(world, runId);
    checkpointNow(world, runId);
    const newest = checkpointNow(world, runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: UPGRADE.reason });
    expect(attemptOf(world, runId).snapshot).toMatchObject({ kind: 'checkpoint', path: newest, checkpointId: 2 });
  });

  it('counts although the job fails when it stops', async () => {
    const world = stream();
    world.flink.streams.ends = ['stops-badly'];
    const runId = await streamRun(world, { attempts: 3 });
    await running(world, runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint' });
    expect(world.record(runId).outcome?.message).toContain('failed when it stopped');
    expect(attemptOf(world, runId).snapshot?.kind).toBe('savepoint');
  });

  it('is found in its directory when its cluster is gone before anybody could tell', async () => {
    const world = stream();
    const runId = await streamRun(world, { attempts: 3 });
    await running(world, runId);
    checkpointNow(world, runId);
    await stop(world, runId);
    await world.drainFor(100);
    lose(world, runId);
    const path = `${world.flink.streams.begun[0] ?? ''}savepoint-1`;
    world.state.complete.set(path, { at: 1, bytes: 1, checkpointId: 2 });
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint' });
    expect(attemptOf(world, runId).snapshot).toMatchObject({ path, checkpointId: 2 });
    expect(world.created(runId)).toHaveLength(1);
  });

  it('is another try when a JobManager that knows of none has taken the job on', async () => {
    const world = stream();
    world.flink.streams.ends = ['hangs', 'completes'];
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(1_000);
    world.state.complete.set(`${world.flink.streams.begun[0] ?? ''}savepoint-1`, { at: 1, bytes: 1, checkpointId: 1 });
    world.flink.streams.forgetful = true;
    await world.drainFor(1_000);
    world.flink.streams.forgetful = false;
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(attemptOf(world, runId).snapshot?.path).toMatch(/-2\/savepoint-/);
  });

  it('waits for all tasks to run, as Flink would decline it', async () => {
    const world = stream();
    world.flink.behaviours = [{ ...STREAM_FOREVER, rescales: { from: 9_000, to: 20_000 } }];
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(5_000);
    expect(world.flink.streams.begun).toEqual([]);
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.flink.streams.begun).toHaveLength(1);
  });

  it('loses a race with a job that ends by itself', async () => {
    const world = stream();
    world.flink.behaviours = [{ ...STREAM_FOREVER, endsAfter: 12_000 }];
    world.flink.streams.ends = ['hangs'];
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    expect(attemptOf(world, runId).snapshot).toBeUndefined();
  });

  it('gives way to a cancel', async () => {
    const world = stream();
    world.flink.streams.ends = ['hangs'];
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    await cancelRun(runId, { by: 'a person', reason: 'JobCanceled' }, world.dispatch);
    expect(world.record(runId).stopRequested).toBeUndefined();
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: 'JobCanceled' });
  });

  it('is a cancel before its JobManager has started, and needs a directory', async () => {
    const world = stream();
    const runId = await streamRun(world, { plan: { savepointDirectory: undefined as unknown as string } });
    expect(await stop(world, runId)).toBe(true);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: UPGRADE.reason });
    const second = await streamRun(world);
    await running(world, second);
    const { runId: plain } = await world.request(jobMessage());
    expect(await stop(world, plain)).toBe(false);
  });

  it('waits for a storage that gives no answer, and says nothing meanwhile', async () => {
    const world = stream();
    const runId = await streamRun(world);
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(900);
    for (let tries = 0; tries < 5; tries += 1) {
      world.state.faults.plan('savepoints', 'before', new DispatchError('StateStorageUnavailable', 'slow down (test)'));
    }
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
  });
});

describe('a stop that takes the newest checkpoint', () => {
  it('cancels the job and reads what is newest when it has ended', async () => {
    const world = stream();
    const runId = await streamRun(world);
    await running(world, runId);
    const newest = checkpointNow(world, runId);
    await stop(world, runId, { mode: 'last-state' });
    await world.drain();
    expect(world.flink.cancels).not.toEqual([]);
    expect(world.record(runId).outcome).toMatchObject({
      ...{ state: 'canceled', reason: UPGRADE.reason, rule: 'stopped-by-cancel', flinkState: 'CANCELED' },
    });
    expect(attemptOf(world, runId).snapshot).toMatchObject({ kind: 'checkpoint', path: newest, bytes: 10 });
  });

  it('finds it in the storage when the JobManager is gone', async () => {
    const world = stream();
    const runId = await streamRun(world, { attempts: 3 });
    await running(world, runId);
    const older = checkpointNow(world, runId);
    const newest = checkpointNow(world, runId);
    await stop(world, runId, { mode: 'last-state' });
    lose(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: UPGRADE.reason });
    expect(attemptOf(world, runId).snapshot?.path).toBe(newest);
    expect(older).not.toBe(newest);
  });

  it('says so when nobody may read the storage and nobody told', async () => {
    const world = stream();
    const runId = await streamRun(world, { plan: { checkpointDirectory: 's3://elsewhere/chk' } });
    await running(world, runId);
    await stop(world, runId, { mode: 'last-state' });
    lose(world, runId);
    await world.drain();
    const run = world.record(runId);
    expect(run.state).toBe('closed');
    expect(run.stateUnknown?.message).toContain('s3://elsewhere/chk is not in allow.stateStorage');
    expect(attemptOf(world, runId).snapshot).toBeUndefined();
  });
});

describe('the attempts of a stream', () => {
  const crash = { ...STREAM_FOREVER, pods: crashedPods };

  async function lost(world: World): Promise<void> {
    world.flink.behaviours = [crash, STREAM_FOREVER];
    await world.drainFor(30_000);
  }

  it('begin from the newest complete checkpoint of the one before, or from what that began from', async () => {
    const world = stream();
    const startFrom = { kind: 'savepoint', path: 's3://state/of-a-person', checkpointId: 5 } as const;
    world.state.complete.set(startFrom.path, { at: 1, bytes: 1, checkpointId: 5 });
    const runId = await streamRun(world, { attempts: 4, startFrom });
    await running(world, runId);
    expect(attemptOf(world, runId).restoredFrom).toEqual(startFrom);
    checkpointNow(world, runId);
    const newest = checkpointNow(world, runId);
    await lost(world);
    expect(attemptOf(world, runId)).toMatchObject({ number: 2, restoredFrom: { path: newest, checkpointId: 7 } });
    expect(world.flink.streams.restored).toEqual([startFrom.path, newest]);
  });

  it('begin from a savepoint that their deployment asked for, where that is the newest', async () => {
    const world = stream();
    const runId = await streamRun(world, { attempts: 4 });
    const { deployment } = await running(world, runId);
    checkpointNow(world, runId);
    const path = `${SAVEPOINTS}/${deployment?.id}/${runId}-r1/savepoint-1`;
    world.state.complete.set(path, { at: 1, bytes: 1, checkpointId: 9 });
    await lost(world);
    expect(attemptOf(world, runId)).toMatchObject({ number: 2, restoredFrom: { kind: 'savepoint', path } });
  });

  it('keep what they began from when they completed nothing', async () => {
    const world = stream();
    const startFrom = { kind: 'savepoint', path: 's3://state/of-a-person' } as const;
    world.state.complete.set(startFrom.path, { at: 1, bytes: 1, checkpointId: 5 });
    const runId = await streamRun(world, { attempts: 4, startFrom });
    await running(world, runId);
    await lost(world);
    expect(world.flink.streams.restored).toEqual([startFrom.path, startFrom.path]);
  });

  it('are none where the newest state cannot be known', async () => {
    const world = stream();
    const runId = await streamRun(world, { attempts: 4, plan: { checkpointDirectory: 's3://elsewhere/chk' } });
    await running(world, runId);
    world.flink.behaviours = [crash, STREAM_FOREVER];
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'StateUnknown' });
    expect(world.created(runId)).toHaveLength(1);
  });

  it('are none from a path at which nothing is', async () => {
    const world = stream();
    const runId = await streamRun(world, { attempts: 3, startFrom: { kind: 'savepoint', path: 's3://state/gone' } });
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'StateUnreadable' });
    expect(world.record(runId).outcome?.message).toContain('s3://state/gone');
    expect(world.created(runId)).toEqual([]);
  });

  it('have a fixed job id, and leave a snapshot behind whatever ends them', async () => {
    const world = stream();
    const runId = await streamRun(world);
    await running(world, runId);
    const newest = checkpointNow(world, runId);
    expect(newest).toContain(`${CHECKPOINTS}/${attemptOf(world, runId).jobId}/`);
    world.flink.behaviours = [crash];
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { state: 'failed' } });
    expect(attemptOf(world, runId).snapshot?.path).toBe(newest);
  });
});
