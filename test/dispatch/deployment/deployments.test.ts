import { describe, expect, it } from 'vitest';
import { advanceDeployment } from '../../../lib/dispatch/deployment/advance-deployment.ts';
import { DAY, DeploymentsWorld, endsAfter, idOf, stream } from '../world/deployments-world.ts';
import { CHECKPOINTS, DIRECTORIES, SAVEPOINTS, type Fate } from '../world/streams-world.ts';

const MINUTE = 60_000;
const args = (text: string) => ({ args: [text] });

async function running(job = {}, fateOf?: (run: number) => Fate): Promise<DeploymentsWorld> {
  const world = new DeploymentsWorld(fateOf);
  await world.request(stream({}, job));
  await world.pass(40_000);
  return world;
}

describe('a stream', () => {
  it('is a deployment, which has one run', async () => {
    const world = new DeploymentsWorld();
    const accepted = await world.request(stream());
    expect(accepted).toMatchObject({ result: 'accepted', deployment: { generation: 1 } });
    await world.pass(30_000);
    expect(world.deployed).toMatchObject({ id: idOf(accepted), state: 'running', wanted: 1, reached: 1, runs: 1 });
    expect(world.runs).toHaveLength(1);
    expect(world.runs[0]).toMatchObject({
      state: 'running',
      deployment: { id: idOf(accepted), generation: 1 },
      job: { concurrency: { key: `deployment:${idOf(accepted)}`, policy: 'queue' } },
    });
    expect(world.told).toEqual(['accepted 1', 'started 1']);
  });

  it('is the same deployment, however often its request comes, and none of another payload', async () => {
    const world = new DeploymentsWorld();
    const request = stream();
    const first = await world.request(request);
    expect(await world.request(request)).toMatchObject({ result: 'duplicate', deployment: first.deployment });
    const other = { ...request, spec: stream({}, args('other')).spec };
    expect(await world.request(other)).toMatchObject({ result: 'rejected' });
    const rejected = world.records.find(({ outcome }) => outcome?.reason === 'IdempotencyConflict');
    expect(rejected?.outcome?.message).toContain(idOf(first));
    expect(world.deadLetters).toHaveLength(1);
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(1);
  });

  it('is refused as any run is, and changes no deployment', async () => {
    const world = await running();
    expect(await world.request(stream({ image: 'evil:1' }))).toMatchObject({ result: 'rejected' });
    expect(world.deployed.wanted).toBe(1);
  });

  it.each([
    ['savepoint', 'savepoint', SAVEPOINTS],
    ['last-state', 'checkpoint', CHECKPOINTS],
  ])('is upgraded by %s, and goes on from its newest state', async (upgradeMode, kind, directory) => {
    const world = await running({ upgradeMode });
    await world.request(stream({}, { upgradeMode, ...args('two') }));
    await world.pass(30_000);
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 2, reached: 2, runs: 2 });
    const [first, second] = world.runs;
    expect(first).toMatchObject({ state: 'closed' });
    expect(second).toMatchObject({ state: 'running', startFrom: { kind }, job: { args: ['two'] } });
    expect(second?.startFrom?.path.startsWith(directory)).toBe(true);
    expect(world.begun[1]?.path).toBe(second?.startFrom?.path);
    expect(world.begun[1]?.path).toBe(world.begun[1]?.newest);
    expect(world.told.slice(2)).toEqual(['accepted 2', 'upgrading 2', 'snapshot 1', 'stable 1', 'upgraded 2']);
    expect(world.violations).toEqual([]);
  });

  it('starts empty only when that is said', async () => {
    const world = await running({ upgradeMode: 'stateless' });
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
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 2, reached: 2 });
  });

  it('is suspended, costs nothing, and is resumed where it was', async () => {
    const world = await running();
    await world.request(stream({}, { state: 'suspended' }));
    await world.pass(30_000);
    expect(world.deployed).toMatchObject({ state: 'suspended', reached: 2 });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed']);
    expect(world.kubernetes.all('Pod')).toEqual([]);
    const counted = world.deployed.newest;
    await world.pass(10 * MINUTE);
    expect(world.runQueue.size).toBe(0);
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
    const world = new DeploymentsWorld();
    await world.request(stream({}, { state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployed.state).toBe('suspended');
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
    const world = new DeploymentsWorld();
    for (const name of ['a', 'b']) world.putState(`s3://other/${name}`, 500);
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
    expect(world.deployed.snapshots).toMatchObject([{ why: 'nonce', snapshot: { kind: 'savepoint' } }]);
    expect(world.deployed.done.savepointTrigger).toBe(7);
    await world.request(stream({}, { savepointTriggerNonce: 7, checkpointTriggerNonce: 1 }));
    await world.pass(MINUTE);
    expect(world.deployed.snapshots).toHaveLength(1);
    expect(world.told.at(-1)).toBe('snapshot 1');
    expect(world.runs).toHaveLength(1);
  });

  it('has savepoints every so often, and as many as its history says', async () => {
    const world = await running({ savepointInterval: '10m', savepointHistory: { count: 3 } });
    // Looks at an older job are rare.
    world.letGoBy(DAY);
    await world.pass(120 * MINUTE);
    const { snapshots } = world.deployed;
    expect(snapshots).toHaveLength(3);
    expect(snapshots.at(-1)?.ordinal).toBeGreaterThanOrEqual(9);
    const left = world.s3.keys('state/sp/').map((key) => `s3://${key.replace('/_metadata', '')}`);
    expect(left.sort()).toEqual(snapshots.map(({ snapshot }) => snapshot.path).sort());
    expect(world.violations).toEqual([]);
  });

  it('has savepoints by the calendar, one for each time', async () => {
    const world = await running({ savepointSchedule: { cron: '0/20 * * * ? *' }, savepointHistory: { count: 100 } });
    // Looks at an older job are rare.
    world.letGoBy(DAY);
    await world.pass(120 * MINUTE);
    const { snapshots } = world.deployed;
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
    const world = new DeploymentsWorld();
    await world.request(stream({}, job));
    await world.pass(10_000);
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
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 11, reached: 11 });
    expect(world.runs.length).toBeLessThanOrEqual(3);
    expect(world.runs.at(-1)?.job?.args).toEqual(['version 10']);
    const reached = new Set(world.runs.map(({ deployment }) => deployment?.generation));
    for (let n = 2; n <= 10; n += 1) {
      expect(world.told.filter((event) => event === `superseded ${n}`)).toHaveLength(reached.has(n) ? 0 : 1);
    }
    expect(world.violations).toEqual([]);
  });

  it('come to nothing when the savepoint does, and the job runs on', async () => {
    const world = await running({}, () => ({ howOf: () => 'declined' }));
    await world.request(stream({}, { savepointDeadline: '20s', ...args('two') }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', wanted: 2, reached: 1 });
    expect(world.deployed.settled).toMatchObject({ generation: 2, reason: 'SavepointFailed' });
    expect(world.told.at(-1)).toBe('upgrade-failed 2');
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { upgradeMode: 'stateless', ...args('three') }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3 });
  });

  it('wait for the proof that the last run is gone, however long it takes', async () => {
    const world = await running();
    world.kubernetes.lingers = () => 25 * MINUTE;
    await world.request(stream({}, args('two')));
    await world.pass(20 * MINUTE);
    expect(world.deployed.state).toBe('upgrading');
    expect(world.runs).toHaveLength(1);
    expect(world.told.filter((event) => event === 'delayed 2')).toHaveLength(1);
    await world.pass(10 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
  });
});

describe('a run that ends by itself', () => {
  const ends = (end: 'FINISHED' | 'FAILED') => (run: number) => (run === 1 ? endsAfter(25_000, end) : {});

  it('has finished: so is its deployment, and nothing follows', async () => {
    const world = await running({}, ends('FINISHED'));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'finished' });
    expect(world.told.at(-1)).toBe('finished 1');
    await world.passLong(70 * MINUTE);
    expect(world.runs).toHaveLength(1);
    expect(await world.dispatch.deployments.list({ limit: 9 })).toEqual([]);
  });

  it('has failed: its deployment is blocked, and a corrected job goes on from what it left', async () => {
    const world = await running({ upgradeMode: 'last-state' }, ends('FAILED'));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'blocked', settled: { reason: 'JobFailed' } });
    expect(world.deployed.settled?.choices).not.toEqual([]);
    await world.passLong(30 * MINUTE);
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { upgradeMode: 'last-state', ...args('two') }));
    await world.pass(30_000);
    expect(world.runs[1]?.startFrom?.kind).toBe('checkpoint');
    expect(world.begun[1]).toMatchObject({ path: world.begun[1]?.newest });
    expect(world.begun[1]?.path).toMatch(/chk-2$/);
  });

  it('never falls back to a checkpoint silently, and does when that is said', async () => {
    const world = await running({}, ends('FAILED'));
    await world.pass(MINUTE);
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'blocked', settled: { generation: 2, reason: 'SavepointFailed' } });
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { fallback: 'last-state', ...args('two') }));
    await world.pass(30_000);
    expect(world.deployed.state).toBe('running');
    expect(world.runs[1]?.startFrom?.kind).toBe('checkpoint');
  });

  it('and of whose state nobody knows blocks whatever has state, until somebody says what to start from', async () => {
    const nowhere = { flinkConfiguration: { ...DIRECTORIES, 'execution.checkpointing.dir': 's3://elsewhere/chk' } };
    const world = new DeploymentsWorld();
    await world.request(stream(nowhere));
    await world.pass(30_000);
    world.vanish(world.clusterOf(1));
    await world.pass(MINUTE);
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'blocked', settled: { reason: 'StateUnknown', generation: 2 } });
    expect(world.runs).toHaveLength(1);
    await world.request(stream({}, { upgradeMode: 'stateless', ...args('three') }));
    await world.pass(MINUTE);
    expect(world.runs).toHaveLength(2);
    expect(world.deployed.state).toBe('running');
  });
});

describe('what gets lost', () => {
  it.each(['accepted', 'running', 'upgrading', 'closed'])('when it is %s is found by the sweeper', async (when) => {
    const world = new DeploymentsWorld();
    await world.request(stream());
    if (when === 'accepted') world.loseMessages();
    await world.pass(30_000);
    if (when === 'running' || when === 'closed') await world.pass(MINUTE);
    await world.request(stream({}, args('two')));
    if (when !== 'accepted') world.loseMessages();
    // Of runs, the sweeper sends their messages again.
    await world.passUntil(({ deployed: { state, reached } }) => state === 'running' && reached === 2, 30 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.violations).toEqual([]);
  });

  it('of a run that was just made is sent again by whoever looks next', async () => {
    const world = new DeploymentsWorld();
    const id = idOf(await world.request(stream()));
    world.loseMessages();
    await advanceDeployment(id, world.dispatch, world.clock.now() + MINUTE);
    expect(world.runs).toMatchObject([{ state: 'accepted' }]);
    world.loseMessages();
    await world.dispatch.runQueue.send({ version: 1, deployment: id }, 20);
    await world.pass(40_000);
    expect(world.runs).toMatchObject([{ state: 'running' }]);
  });
});
