import { describe, expect, it } from 'vitest';
import { advanceDeployment } from '../../../lib/dispatch/deployment/advance-deployment.ts';
import { stream, StreamWorld, SAVEPOINTS, CHECKPOINTS, idOf } from './stream-world.ts';

const MINUTE = 60_000;
const args = (text: string) => ({ args: [text] });

async function running(options = {}, job = {}): Promise<StreamWorld> {
  const world = new StreamWorld(options);
  await world.request(stream({}, job));
  await world.pass(30_000);
  return world;
}

describe('a stream', () => {
  it('is a deployment, which has one run', async () => {
    const world = new StreamWorld();
    const accepted = await world.request(stream());
    expect(accepted).toMatchObject({ result: 'accepted', deployment: { generation: 1 } });
    await world.pass(30_000);
    expect(world.deployment).toMatchObject({ id: idOf(accepted), state: 'running', wanted: 1, reached: 1, runs: 1 });
    expect(world.runs).toHaveLength(1);
    expect(world.runs[0]).toMatchObject({
      state: 'running',
      deployment: { id: idOf(accepted), generation: 1 },
      job: { concurrency: { key: `deployment:${idOf(accepted)}`, policy: 'queue' } },
    });
    expect(world.told).toEqual(['accepted 1', 'started 1']);
  });

  it('is the same deployment, however often its request comes, and none of another payload', async () => {
    const world = new StreamWorld();
    const request = stream();
    const first = await world.request(request);
    expect(await world.request(request)).toMatchObject({ result: 'duplicate', deployment: first.deployment });
    const other = { ...request, spec: stream({}, args('other')).spec };
    expect(await world.request(other)).toMatchObject({ result: 'rejected' });
    const rejected = world.parts.ledger.records.find(({ outcome }) => outcome?.reason === 'IdempotencyConflict');
    expect(rejected?.outcome?.message).toContain(idOf(first));
    expect(world.parts.deadLetters.letters).toHaveLength(1);
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(1);
  });

  it('is refused as any run is, and changes no deployment', async () => {
    const world = await running();
    expect(await world.request(stream({ image: 'evil:1' }))).toMatchObject({ result: 'rejected' });
    expect(world.deployment.wanted).toBe(1);
  });

  it.each([
    ['savepoint', 'savepoint', SAVEPOINTS],
    ['last-state', 'checkpoint', CHECKPOINTS],
  ])('is upgraded by %s, and goes on from its newest state', async (upgradeMode, kind, directory) => {
    const world = await running({}, { upgradeMode });
    await world.request(stream({}, { upgradeMode, ...args('two') }));
    await world.pass(30_000);
    expect(world.deployment).toMatchObject({ state: 'running', wanted: 2, reached: 2, runs: 2 });
    const [first, second] = world.runs;
    expect(first).toMatchObject({ state: 'closed' });
    expect(second).toMatchObject({ state: 'running', startFrom: { kind }, job: { args: ['two'] } });
    expect(second?.startFrom?.path.startsWith(directory)).toBe(true);
    expect(world.started[1]?.count).toBe(world.started[1]?.newest);
    expect(world.started[1]?.count).toBeGreaterThan(9);
    expect(world.told.slice(2)).toEqual(['accepted 2', 'upgrading 2', 'snapshot 1', 'stable 1', 'upgraded 2']);
    expect(world.violations).toEqual([]);
  });

  it('starts empty only when that is said', async () => {
    const world = await running({}, { upgradeMode: 'stateless' });
    await world.request(stream({}, { upgradeMode: 'stateless', ...args('two') }));
    await world.pass(30_000);
    expect(world.runs[1]?.startFrom).toBeUndefined();
    expect(world.runs).toHaveLength(2);
  });

  it('is left alone by a request that changes nothing of its job', async () => {
    const world = await running();
    await world.request(stream({}, { savepointDeadline: '1h', savepointHistory: { count: 2 } }));
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(1);
    expect(world.deployment).toMatchObject({ state: 'running', wanted: 2, reached: 2 });
  });

  it('is suspended, costs nothing, and is resumed where it was', async () => {
    const world = await running();
    await world.request(stream({}, { state: 'suspended' }));
    await world.pass(30_000);
    expect(world.deployment).toMatchObject({ state: 'suspended', reached: 2 });
    expect(world.count).toBeUndefined();
    const counted = world.deployment.newest;
    await world.pass(10 * MINUTE);
    expect(world.waiting).toEqual([]);
    await world.request(stream());
    await world.pass(10_000);
    expect(world.runs[1]?.startFrom).toEqual(counted);
    expect(world.told.slice(2)).toEqual([
      'accepted 2',
      'suspending 2',
      'snapshot 1',
      'stable 1',
      'suspended 2',
      'accepted 3',
      'resumed 3',
    ]);
  });

  it('is created suspended', async () => {
    const world = new StreamWorld();
    await world.request(stream({}, { state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployment.state).toBe('suspended');
    expect(world.runs).toEqual([]);
  });

  it('is restarted by another restartNonce, once', async () => {
    const world = await running();
    await world.request(stream({ restartNonce: 1 }));
    await world.pass(2 * MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.runs[1]?.startFrom?.kind).toBe('savepoint');
    await world.request(stream({ restartNonce: 1 }));
    await world.pass(2 * MINUTE);
    expect(world.runs).toHaveLength(2);
  });

  it('begins where its spec says, and again with another savepointRedeployNonce', async () => {
    const world = new StreamWorld();
    for (const name of ['a', 'b']) {
      world.counts.set(`s3://other/${name}`, 500);
      world.state.complete.set(`s3://other/${name}`, { at: 0, bytes: 1, checkpointId: 1 });
    }
    await world.request(stream({}, { initialSavepointPath: 's3://other/a' }));
    await world.pass(30_000);
    expect(world.runs[0]).toMatchObject({ startFrom: { kind: 'savepoint', path: 's3://other/a' } });
    expect(world.runs[0]?.job?.options).not.toHaveProperty(['execution.state-recovery.path']);
    await world.request(stream({}, { initialSavepointPath: 's3://other/b', savepointRedeployNonce: 1 }));
    await world.pass(30_000);
    expect(world.runs[1]).toMatchObject({ startFrom: { path: 's3://other/b' } });
    expect(world.runs).toHaveLength(2);
  });

  it('has a savepoint for another savepointTriggerNonce, and runs on', async () => {
    const world = await running();
    await world.request(stream({}, { savepointTriggerNonce: 7 }));
    await world.pass(MINUTE);
    expect(world.deployment.snapshots).toMatchObject([{ why: 'nonce', snapshot: { kind: 'savepoint' } }]);
    expect(world.deployment.done.savepointTrigger).toBe(7);
    await world.request(stream({}, { savepointTriggerNonce: 7, checkpointTriggerNonce: 1 }));
    await world.pass(MINUTE);
    expect(world.deployment.snapshots).toHaveLength(1);
    expect(world.told.at(-1)).toBe('snapshot 1');
    expect(world.runs).toHaveLength(1);
  });

  it('has savepoints every so often, and as many as its history says', async () => {
    const world = await running({}, { savepointInterval: '10m', savepointHistory: { count: 3 } });
    await world.pass(120 * MINUTE);
    const { snapshots } = world.deployment;
    expect(snapshots).toHaveLength(3);
    expect(snapshots.at(-1)?.ordinal).toBeGreaterThanOrEqual(9);
    const left = [...world.state.complete.keys()].filter((path) => path.startsWith(SAVEPOINTS));
    expect(left.sort()).toEqual(snapshots.map(({ snapshot }) => snapshot.path).sort());
    expect(world.violations).toEqual([]);
  });

  it('has savepoints by the calendar, one for each time', async () => {
    const world = await running(
      {},
      { savepointSchedule: { cron: '0/20 * * * ? *' }, savepointHistory: { count: 100 } },
    );
    await world.pass(120 * MINUTE);
    const { snapshots } = world.deployment;
    expect(new Set(snapshots.map(({ why }) => why))).toEqual(new Set(['periodic']));
    const times = snapshots.map(({ at }) => Math.floor(at / (20 * MINUTE)));
    expect(times.length).toBeGreaterThanOrEqual(5);
    expect(times).toEqual(times.map((_, n) => (times[0] ?? 0) + n));
    for (const { at } of snapshots) expect(at % (20 * MINUTE)).toBeLessThan(3 * MINUTE);
    expect(world.runs).toHaveLength(1);
    expect(world.violations).toEqual([]);
  });

  it('takes a savepoint where its checkpoint is too old', async () => {
    const job = { upgradeMode: 'last-state', maxCheckpointAge: '5s' };
    const world = new StreamWorld();
    await world.request(stream({}, job));
    await world.pass(8_000);
    await world.request(stream({}, { ...job, ...args('two') }));
    await world.pass(30_000);
    expect(world.runs[1]?.startFrom?.kind).toBe('savepoint');
  });
});

describe('changes while a stream changes', () => {
  it('become one further upgrade to the newest', async () => {
    const world = await running();
    for (let n = 1; n <= 10; n += 1) {
      await world.request(stream({}, args(`version ${n}`)));
      await world.pass(100);
    }
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', wanted: 11, reached: 11 });
    expect(world.runs.length).toBeLessThanOrEqual(3);
    expect(world.runs.at(-1)?.job?.args).toEqual(['version 10']);
    const reached = new Set(world.runs.map(({ deployment }) => deployment?.generation));
    for (let n = 2; n <= 10; n += 1) {
      expect(world.told.filter((event) => event === `superseded ${n}`)).toHaveLength(reached.has(n) ? 0 : 1);
    }
    expect(world.violations).toEqual([]);
  });

  it('come to nothing when the savepoint does, and the job runs on', async () => {
    const world = await running({ fate: () => ({ refusesStop: true }) });
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', wanted: 2, reached: 1 });
    expect(world.deployment.settled).toMatchObject({ generation: 2, reason: 'SavepointFailed' });
    expect(world.told.at(-1)).toBe('upgrade-failed 2');
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { upgradeMode: 'stateless', ...args('three') }));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 3 });
  });

  it('wait for the proof that the last run is gone, however long it takes', async () => {
    const world = await running({ fate: (run: number) => (run === 1 ? { removal: 25 * MINUTE } : {}) });
    await world.request(stream({}, args('two')));
    await world.pass(20 * MINUTE);
    expect(world.deployment.state).toBe('upgrading');
    expect(world.runs).toHaveLength(1);
    expect(world.told.filter((event) => event === 'delayed 2')).toHaveLength(1);
    await world.pass(10 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2 });
  });
});

describe('a run that ends by itself', () => {
  const ends = (how: 'finished' | 'failed' | 'lost', after = 20_000) => ({
    fate: (run: number) => (run === 1 ? { ends: { after, how } } : {}),
  });

  it('has finished: so is its deployment, and nothing follows', async () => {
    const world = await running(ends('finished'));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'finished' });
    expect(world.told.at(-1)).toBe('finished 1');
    await world.pass(70 * MINUTE);
    expect(world.runs).toHaveLength(1);
    expect(await world.parts.deployments.list({ limit: 9 })).toEqual([]);
  });

  it('has failed: its deployment is blocked, and a corrected job goes on from what it left', async () => {
    const world = await running(ends('failed'), { upgradeMode: 'last-state' });
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'blocked', settled: { reason: 'JobFailed' } });
    expect(world.deployment.settled?.choices).not.toEqual([]);
    await world.pass(30 * MINUTE);
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { upgradeMode: 'last-state', ...args('two') }));
    await world.pass(30_000);
    expect(world.runs[1]?.startFrom?.kind).toBe('checkpoint');
    expect(world.started[1]?.count).toBe(20);
  });

  it('never falls back to a checkpoint silently, and does when that is said', async () => {
    const world = await running(ends('failed'));
    await world.pass(MINUTE);
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'blocked', settled: { generation: 2, reason: 'SavepointFailed' } });
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { fallback: 'last-state', ...args('two') }));
    await world.pass(30_000);
    expect(world.deployment.state).toBe('running');
    expect(world.runs[1]?.startFrom?.kind).toBe('checkpoint');
  });

  it('and of whose state nobody knows blocks whatever has state, until somebody says what to start from', async () => {
    const world = await running(ends('lost'));
    await world.pass(MINUTE);
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'blocked', settled: { reason: 'StateUnknown', generation: 2 } });
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { upgradeMode: 'stateless', ...args('three') }));
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.deployment.state).toBe('running');
  });
});

describe('what gets lost', () => {
  it.each(['accepted', 'running', 'upgrading', 'closed'])('when it is %s is found by the sweeper', async (when) => {
    const world = new StreamWorld();
    await world.request(stream());
    if (when === 'accepted') world.loseMessages();
    await world.pass(30_000);
    if (when === 'running' || when === 'closed') await world.pass(MINUTE);
    await world.request(stream({}, args('two')));
    if (when !== 'accepted') world.loseMessages();
    // Of runs, the sweeper sends their messages again.
    await world.pass(30 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2 });
    expect(world.violations).toEqual([]);
  });

  it('of a run that was just made is sent again by whoever looks next', async () => {
    const world = new StreamWorld();
    const id = idOf(await world.request(stream()));
    await advanceDeployment(id, world.dispatch, world.clock.now() + MINUTE);
    expect(world.runs).toMatchObject([{ state: 'accepted' }]);
    world.loseMessages();
    await world.dispatch.runQueue.send({ version: 1, deployment: id }, 20);
    await world.pass(40_000);
    expect(world.runs).toMatchObject([{ state: 'running' }]);
  });
});
