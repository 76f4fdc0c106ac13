import { afterEach, describe, expect, it } from 'vitest';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { requestStop, type StopOrder } from '../../../lib/dispatch/state/request-stop.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { keyOf } from '../../prove/streams/stream-truth.ts';
import type { How } from '../../prove/streams/stream-job.ts';
import { FOREVER, jobMessage } from '../world/simulated.ts';
import { CHECKPOINTS, HIGH_AVAILABILITY, SAVEPOINTS, StreamsWorld } from '../world/streams-world.ts';

const UPGRADE = { by: 'deployment x', reason: 'ReplacedByNewerRun' } as const;

const worlds: StreamsWorld[] = [];
afterEach(() => {
  expect(worlds.splice(0).flatMap(({ invariants }) => invariants.violations)).toEqual([]);
});

/** `hows`: what becomes of its stops, one after the other; the last one holds for all further ones. */
function stream(...hows: readonly How[]): StreamsWorld {
  const world = new StreamsWorld({ inlineWait: 0 });
  worlds.push(world);
  stopsAre(world, ...hows);
  return world;
}

function stopsAre(world: StreamsWorld, ...hows: readonly How[]): void {
  let stops = 0;
  world.fateOf = () => ({ howOf: () => hows[stops++] ?? hows.at(-1) ?? 'completes' });
}

/** Until it runs, and a while longer. */
async function running(world: StreamsWorld, runId: RunId, ms = 10_000): Promise<RunRecord> {
  await world.drainFor(ms);
  const run = world.record(runId);
  if (run.state !== 'running') throw new Error(`the run is ${run.state}`);
  return run;
}

function stop(world: StreamsWorld, runId: RunId, order: Partial<StopOrder> = {}): Promise<boolean> {
  return requestStop(runId, { ...UPGRADE, mode: 'savepoint', ...order }, world.dispatch);
}

function begunFrom({ streams }: StreamsWorld): readonly (string | undefined)[] {
  return streams.truth.begun.map(({ path }) => path);
}

/** Its cluster is taken away by somebody else. */
function lose(world: StreamsWorld, runId: RunId): void {
  world.vanish(world.refOf(runId));
}

describe('a stop with a savepoint', () => {
  it('ends the run with it, in a directory of its own', async () => {
    const world = stream();
    const runId = await world.streamRun();
    const { deployment } = await running(world, runId);
    expect(await stop(world, runId)).toBe(true);
    await world.drain();
    const run = world.record(runId);
    expect(run.outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint', flinkState: 'FINISHED' });
    expect(run.outcome).not.toHaveProperty('rootException');
    const directory = `${SAVEPOINTS}/${deployment?.id}/${runId}-1/`;
    expect(world.streams.truth.stopDirectories).toEqual([directory]);
    const { snapshot } = world.attemptOf(runId);
    expect(snapshot).toMatchObject({ kind: 'savepoint', run: runId, checkpointId: 1, format: 'CANONICAL' });
    expect(snapshot?.path.startsWith(directory)).toBe(true);
    const [, , completed] = world.events(runId);
    expect(completed?.data).toMatchObject({ reason: 'StoppedWithSavepoint', snapshot: { path: snapshot?.path } });
  });

  it('is looked at often while it is under way, and asked for once', async () => {
    const world = stream('hangs');
    const runId = await world.streamRun();
    await running(world, runId);
    // Then looks at it are rare.
    world.clock.time += 3_600_000;
    await stop(world, runId);
    const before = world.record(runId).step.number;
    await world.drainFor(30_000);
    expect(world.record(runId).step.number - before).toBeGreaterThan(8);
    expect(world.streams.truth.stopDirectories).toHaveLength(1);
  });

  it('stands when it is asked for again, by whoever', async () => {
    const world = stream();
    const runId = await world.streamRun();
    await running(world, runId);
    await stop(world, runId);
    expect(await stop(world, runId, { by: 'another' })).toBe(true);
    expect(world.record(runId).stopRequested).toMatchObject({ by: UPGRADE.by, savepoint: { ordinal: 1 } });
    await world.drain();
    expect(await stop(world, runId)).toBe(false);
  });

  it('has another try with another directory when Flink has failed, and its leftovers go', async () => {
    const world = stream('declined', 'completes');
    const runId = await world.streamRun();
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(3_000);
    const [first = ''] = world.streams.truth.stopDirectories;
    world.s3.store(`${keyOf(first)}/savepoint-1/part`, 'of the first try');
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.streams.truth.stopDirectories.map((path) => path.slice(-3))).toEqual(['-1/', '-2/']);
    expect(world.s3.keys('state/sp/').map((path) => /-\d\//.exec(path)?.[0])).toEqual(['-2/']);
  });

  it('lets the job run on when no savepoint can be had, and says so', async () => {
    const world = stream('declined');
    const runId = await world.streamRun({ plan: { savepointDeadline: 20_000 } });
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(60_000);
    const run = world.record(runId);
    expect(run.state).toBe('running');
    expect(run.stopRequested).toBeUndefined();
    expect(run.stopFailed).toMatchObject({ by: UPGRADE.by, reason: 'SavepointFailed' });
    expect(run.stopFailed?.message).toContain('no luck');
    expect(world.asked(new RegExp(`^sqs send deployment ${run.deployment?.id.slice(0, 6)}`))).toBeGreaterThan(0);
    const tries = world.streams.truth.stopDirectories.length;
    stopsAre(world, 'completes');
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.streams.truth.stopDirectories).toHaveLength(tries + 1);
    expect(new Set(world.streams.truth.stopDirectories).size).toBe(tries + 1);
  });

  it('takes the newest checkpoint instead, only where the job says so', async () => {
    const world = stream('hangs');
    const runId = await world.streamRun({ plan: { savepointDeadline: 20_000, fallback: 'last-state' } });
    await running(world, runId);
    world.checkpointNow(runId);
    const newest = world.checkpointNow(runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: UPGRADE.reason });
    expect(world.attemptOf(runId).snapshot).toMatchObject({ kind: 'checkpoint', path: newest, checkpointId: 2 });
  });

  it('counts although the job fails when it stops', async () => {
    const world = stream('fails when stopping');
    const runId = await world.streamRun({ attempts: 3 });
    await running(world, runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint' });
    expect(world.record(runId).outcome?.message).toContain('failed when it stopped');
    expect(world.attemptOf(runId).snapshot?.kind).toBe('savepoint');
  });

  it('is found in its directory when its cluster is gone before anybody could tell', async () => {
    const world = stream();
    const runId = await world.streamRun({ attempts: 3 });
    await running(world, runId);
    world.checkpointNow(runId);
    await stop(world, runId);
    await world.drainFor(1_500);
    const path = `${world.streams.truth.stopDirectories[0] ?? ''}savepoint-1`;
    world.savepointNow(runId, path);
    lose(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded', reason: 'StoppedWithSavepoint' });
    expect(world.attemptOf(runId).snapshot).toMatchObject({ path, checkpointId: 2 });
    expect(world.created(runId)).toHaveLength(1);
  });

  it('is another try when a JobManager that knows of none has taken the job on', async () => {
    const world = stream('hangs', 'completes');
    const runId = await world.streamRun({ options: HIGH_AVAILABILITY });
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(1_500);
    world.savepointNow(runId, `${world.streams.truth.stopDirectories[0] ?? ''}savepoint-1`);
    world.kill(world.refOf(runId));
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.attemptOf(runId).snapshot?.path).toMatch(/-2\/savepoint-/);
  });

  it('waits for all tasks to run, as Flink would decline it', async () => {
    const world = stream();
    world.programs = [{ ...FOREVER, restartsTasks: [5_000, 20_000] }];
    const runId = await world.streamRun();
    await running(world, runId);
    await stop(world, runId);
    await world.drainFor(5_000);
    expect(world.streams.truth.stopDirectories).toEqual([]);
    await world.drain();
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
    expect(world.streams.truth.stopDirectories).toHaveLength(1);
  });

  it('loses a race with a job that ends by itself', async () => {
    const world = stream('hangs');
    world.programs = [{ ...FOREVER, endsAfter: 12_000 }];
    const runId = await world.streamRun();
    await running(world, runId);
    await stop(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    expect(world.attemptOf(runId).snapshot).toBeUndefined();
  });

  it('gives way to a cancel', async () => {
    const world = stream('hangs');
    const runId = await world.streamRun();
    await running(world, runId);
    await stop(world, runId);
    await cancelRun(runId, { by: 'a person', reason: 'JobCanceled' }, world.dispatch);
    expect(world.record(runId).stopRequested).toBeUndefined();
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: 'JobCanceled' });
  });

  it('is a cancel before its JobManager has started, and needs a directory', async () => {
    const world = stream();
    const runId = await world.streamRun({ plan: { savepointDirectory: undefined as unknown as string } });
    expect(await stop(world, runId)).toBe(true);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: UPGRADE.reason });
    const second = await world.streamRun();
    await running(world, second);
    const { runId: plain } = await world.request(jobMessage());
    expect(await stop(world, plain)).toBe(false);
  });

  it('waits for a storage that gives no answer, and says nothing meanwhile', async () => {
    const world = stream();
    const runId = await world.streamRun();
    await running(world, runId);
    await stop(world, runId);
    world.plans.strike(/s3 list sp\//, 'throttled', 5);
    await world.drain();
    expect(world.sim.faults.struck).toHaveLength(5);
    expect(world.record(runId).outcome?.reason).toBe('StoppedWithSavepoint');
  });
});

describe('a stop that takes the newest checkpoint', () => {
  it('cancels the job and reads what is newest when it has ended', async () => {
    const world = stream();
    const runId = await world.streamRun();
    await running(world, runId);
    const newest = world.checkpointNow(runId);
    await stop(world, runId, { mode: 'last-state' });
    await world.drain();
    expect(world.canceled).not.toEqual([]);
    expect(world.record(runId).outcome).toMatchObject({
      ...{ state: 'canceled', reason: UPGRADE.reason, rule: 'stopped-by-cancel', flinkState: 'CANCELED' },
    });
    expect(world.attemptOf(runId).snapshot).toMatchObject({ kind: 'checkpoint', path: newest, bytes: 1_000 });
  });

  it('finds it in the storage when the JobManager is gone', async () => {
    const world = stream();
    const runId = await world.streamRun({ attempts: 3 });
    await running(world, runId);
    const older = world.checkpointNow(runId);
    const newest = world.checkpointNow(runId);
    await stop(world, runId, { mode: 'last-state' });
    lose(world, runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: UPGRADE.reason });
    expect(world.attemptOf(runId).snapshot?.path).toBe(newest);
    expect(older).not.toBe(newest);
  });

  it('says so when nobody may read the storage and nobody told', async () => {
    const world = stream();
    const runId = await world.streamRun({ plan: { checkpointDirectory: 's3://elsewhere/chk' } });
    await running(world, runId);
    await stop(world, runId, { mode: 'last-state' });
    lose(world, runId);
    await world.drain();
    const run = world.record(runId);
    expect(run.state).toBe('closed');
    expect(run.stateUnknown?.message).toContain('s3://elsewhere/chk is not in allow.stateStorage');
    expect(world.attemptOf(runId).snapshot).toBeUndefined();
  });
});

describe('the attempts of a stream', () => {
  async function lost(world: StreamsWorld, runId: RunId): Promise<void> {
    world.crash(runId);
    await world.drainFor(30_000);
  }

  it('begin from the newest complete checkpoint of the one before, or from what that began from', async () => {
    const world = stream();
    const startFrom = { kind: 'savepoint', path: 's3://state/of-a-person', checkpointId: 5 } as const;
    world.putState(startFrom.path, 5);
    const runId = await world.streamRun({ attempts: 4, startFrom });
    await running(world, runId);
    expect(world.attemptOf(runId).restoredFrom).toEqual(startFrom);
    world.checkpointNow(runId);
    const newest = world.checkpointNow(runId);
    await lost(world, runId);
    expect(world.attemptOf(runId)).toMatchObject({ number: 2, restoredFrom: { path: newest, checkpointId: 7 } });
    expect(begunFrom(world)).toEqual([startFrom.path, newest]);
  });

  it('begin from a savepoint that their deployment asked for, where that is the newest', async () => {
    const world = stream();
    const runId = await world.streamRun({ attempts: 4 });
    const { deployment } = await running(world, runId);
    world.checkpointNow(runId);
    const path = `${SAVEPOINTS}/${deployment?.id}/${runId}-r1/savepoint-1`;
    world.savepointNow(runId, path);
    await lost(world, runId);
    expect(world.attemptOf(runId)).toMatchObject({ number: 2, restoredFrom: { kind: 'savepoint', path } });
  });

  it('keep what they began from when they completed nothing', async () => {
    const world = stream();
    const startFrom = { kind: 'savepoint', path: 's3://state/of-a-person' } as const;
    world.putState(startFrom.path, 5);
    const runId = await world.streamRun({ attempts: 4, startFrom });
    await running(world, runId);
    await lost(world, runId);
    expect(begunFrom(world)).toEqual([startFrom.path, startFrom.path]);
  });

  it('are none where the newest state cannot be known', async () => {
    const world = stream();
    const runId = await world.streamRun({ attempts: 4, plan: { checkpointDirectory: 's3://elsewhere/chk' } });
    await running(world, runId);
    world.crash(runId);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'StateUnknown' });
    expect(world.created(runId)).toHaveLength(1);
  });

  it('are none from a path at which nothing is', async () => {
    const world = stream();
    const runId = await world.streamRun({ attempts: 3, startFrom: { kind: 'savepoint', path: 's3://state/gone' } });
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'StateUnreadable' });
    expect(world.record(runId).outcome?.message).toContain('s3://state/gone');
    expect(world.created(runId)).toEqual([]);
  });

  it('have a fixed job id, and leave a snapshot behind whatever ends them', async () => {
    const world = stream();
    const runId = await world.streamRun();
    await running(world, runId);
    const newest = world.checkpointNow(runId);
    expect(newest).toContain(`${CHECKPOINTS}/${world.attemptOf(runId).jobId}/`);
    world.crash(runId);
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { state: 'failed' } });
    expect(world.attemptOf(runId).snapshot?.path).toBe(newest);
  });
});
