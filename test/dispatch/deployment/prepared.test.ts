import { describe, expect, it } from 'vitest';
import { isHeld } from '../../../lib/run/prepared.ts';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import { DeploymentsWorld, stream } from '../world/deployments-world.ts';
import { DIRECTORIES, HIGH_AVAILABILITY, type Fate } from '../world/streams-world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const PREPARED = { prepareUpgrade: true };
const args = (text: string) => ({ ...PREPARED, args: [text] });

/** Its next run's JobManager takes so long to start. */
const takes = (ms: number): Fate => ({ restAfter: ms, runsAfter: ms + 500 });

async function running(second: Fate = {}, job = {}, spec = {}): Promise<DeploymentsWorld> {
  const world = new DeploymentsWorld((number) => (number === 2 ? second : {}));
  await world.request(stream(spec, { ...PREPARED, ...job }));
  await world.pass(30 * SECOND);
  return world;
}

const SAFE = { flinkConfiguration: { ...DIRECTORIES, ...HIGH_AVAILABILITY } };

describe('the next run of a stream that is upgraded', () => {
  it('is made while the last one runs, and begins when that has ended, from what it left', async () => {
    const world = await running(takes(20 * SECOND));
    await world.request(stream({}, args('two')));
    await world.pass(15 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'preparing', next: { generation: 2 }, run: { generation: 1 } });
    expect(world.runs.map(({ state }) => state)).toEqual(['running', 'starting']);
    expect(world.runs[0]).not.toHaveProperty('stopRequested');
    await world.pass(30 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, runs: 2, run: { prepared: true } });
    expect(world.deployed).not.toHaveProperty('next');
    expect(world.deployed).not.toHaveProperty('leaving');
    const [first, second] = world.runs;
    expect(second?.attempts[0]?.restoredFrom).toEqual(first?.attempts[0]?.snapshot);
    expect(second?.startFrom).toEqual(first?.attempts[0]?.snapshot);
    expect(world.begun[1]).toMatchObject({ path: second?.startFrom?.path, newest: second?.startFrom?.path });
    expect(world.told.slice(2)).toEqual([
      'accepted 2',
      'preparing 2',
      'upgrading 2',
      'snapshot 1',
      'stable 1',
      'upgraded 2',
    ]);
    expect(world.violations).toEqual([]);
  });

  it('begins while its predecessor is being removed, whose job can begin no more', async () => {
    const world = await running();
    world.kubernetes.lingers = () => 10 * MINUTE;
    await world.request(stream({}, args('two')));
    await world.pass(30 * SECOND);
    expect(world.runs.map(({ state }) => state)).toEqual(['cleaning', 'running']);
    expect(world.deployed).toMatchObject({ state: 'running', leaving: { id: world.runs[0]?.runId } });
    await world.pass(12 * MINUTE);
    expect(world.deployed).not.toHaveProperty('leaving');
    expect(world.violations).toEqual([]);
  });

  it('waits for the proof that nothing is left where another JobManager may still begin', async () => {
    const world = await running({}, {}, SAFE);
    world.kubernetes.lingers = () => 2 * MINUTE;
    await world.request(stream(SAFE, args('two')));
    await world.pass(MINUTE);
    expect(world.runs.map(({ state }) => state)).toEqual(['cleaning', 'starting']);
    await world.pass(3 * MINUTE);
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'running']);
    expect(world.violations).toEqual([]);
  });

  it('is rejected when it fails of its own, and the last one was never stopped', async () => {
    const world = await running();
    world.kubernetes.pulls = () => false;
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    world.kubernetes.pulls = () => true;
    expect(world.deployed).toMatchObject({ state: 'running', settled: { generation: 2, reason: 'ImagePullFailed' } });
    expect(world.runs[0]).toMatchObject({ state: 'running' });
    expect(world.runs[0]).not.toHaveProperty('stopRequested');
    expect(world.told.slice(2)).toEqual(['accepted 2', 'preparing 2', 'upgrade-failed 2']);
    await world.request(stream({}, args('three')));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3 });
    expect(world.violations).toEqual([]);
  });

  it.each<readonly [string, Fate, (world: DeploymentsWorld) => void]>([
    ['there is no room for two', {}, ({ kubernetes }) => (kubernetes.quota = { of: 'pods', most: 2 })],
    ['it is not ready in time', takes(20 * MINUTE), () => undefined],
    [
      'its cluster is deleted',
      takes(MINUTE),
      (world) => world.sim.after(20 * SECOND, () => world.vanish(world.clusterOf(2))),
    ],
  ])('gives way to the plain way when %s', async (_, fate, trouble) => {
    const world = await running(fate);
    trouble(world);
    await world.request(stream({}, args('two')));
    await world.pass(7 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { generation: 2 } });
    expect(world.deployed.run).not.toHaveProperty('prepared');
    expect(world.told).toContain('unprepared 2');
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'closed', 'running']);
    expect(world.violations).toEqual([]);
  });

  it.each([
    ['a newer generation', stream({}, args('three')), 'running'],
    ['a wish to suspend', stream({}, { ...PREPARED, state: 'suspended' }), 'suspended'],
  ])('is ended when %s comes, and never begins', async (_, request, state) => {
    const world = await running(takes(MINUTE));
    await world.request(stream({}, args('two')));
    await world.pass(10 * SECOND);
    await world.request(request);
    await world.pass(2 * MINUTE);
    expect(world.deployed).toMatchObject({ state, reached: 3 });
    const [, second] = world.runs;
    expect(second).toMatchObject({ state: 'closed', outcome: { state: 'canceled', reason: 'ReplacedByNewerRun' } });
    expect(second && isHeld(second)).toBe(true);
    // Whatever runs in the end was prepared as well.
    expect(world.told.includes('preparing 3')).toBe(state === 'running');
    expect(world.begun.map(({ jobId }) => jobId)).not.toContain(second?.attempts[0]?.jobId);
    expect(world.violations).toEqual([]);
  });

  it('is gone before its deployment is suspended', async () => {
    const world = await running(takes(MINUTE));
    world.kubernetes.lingers = ({ labels }) => (labels['app'] === world.clusterOf(2).clusterId ? 2 * MINUTE : 0);
    await world.request(stream({}, args('two')));
    await world.pass(10 * SECOND);
    await world.request(stream({}, { ...PREPARED, state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'suspending', next: { dropped: true } });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'cleaning']);
    await world.pass(2 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'suspended', reached: 3 });
    expect(world.deployed).not.toHaveProperty('next');
    expect(world.violations).toEqual([]);
  });

  it('is gone before its deployment is suspended, although it found no room', async () => {
    const world = await running();
    world.kubernetes.quota = { of: 'pods', most: 2 };
    const until = world.clock.now() + 5 * MINUTE;
    world.plans.when(/ k8s GET pods\?app=/, (question) => {
      const isOfNext = question.includes(world.runs[1]?.attempts.at(-1)?.clusterId ?? '?');
      const isLooked = world.runs[1]?.outcome !== undefined && world.clock.now() < until;
      return isOfNext && isLooked ? 'refused' : undefined;
    });
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, next: { dropped: true } });
    await world.request(stream({}, { ...PREPARED, state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployed).toMatchObject({ state: 'suspending' });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'cleaning', 'closed']);
    await world.pass(4 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'suspended', reached: 3 });
    expect(world.violations).toEqual([]);
  });

  it('that ends before its permit leaves the state to a run of the usual kind', async () => {
    const world = await running({}, {}, SAFE);
    world.kubernetes.lingers = () => 30 * SECOND;
    await world.request(stream(SAFE, args('two')));
    await world.pass(20 * SECOND);
    const [, next] = world.runs;
    if (next?.prepared?.readyAt === undefined) throw new Error('it is not ready');
    await cancelRun(next.runId, { by: 'somebody', reason: 'JobCanceled' }, world.dispatch);
    await world.pass(2 * MINUTE);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'closed', 'running']);
    expect(world.begun[1]).toMatchObject({
      path: world.runs[2]?.startFrom?.path,
      newest: world.runs[2]?.startFrom?.path,
    });
    expect(world.violations).toEqual([]);
  });

  it('is not made where the spec does not ask for it', async () => {
    const world = await running({}, { prepareUpgrade: false });
    await world.request(stream({}, { prepareUpgrade: false, args: ['two'] }));
    await world.pass(MINUTE);
    expect(world.told.slice(2)).toEqual(['accepted 2', 'upgrading 2', 'snapshot 1', 'stable 1', 'upgraded 2']);
  });

  it('is made for a restart, too', async () => {
    const world = await running();
    await world.request(stream({ restartNonce: 1 }, PREPARED));
    await world.pass(MINUTE);
    expect(world.told).toContain('preparing 2');
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { prepared: true, why: 'restart' } });
  });
});
