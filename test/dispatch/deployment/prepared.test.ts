import { describe, expect, it } from 'vitest';
import { isHeld } from '../../../lib/run/prepared.ts';
import { stream, StreamWorld, type Fate } from './stream-world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const PREPARED = { prepareUpgrade: true };
const args = (text: string) => ({ ...PREPARED, args: [text] });

async function running(second: Fate = {}, job = {}): Promise<StreamWorld> {
  const world = new StreamWorld({ fate: (number) => (number === 2 ? second : {}) });
  await world.request(stream({}, { ...PREPARED, ...job }));
  await world.pass(30 * SECOND);
  return world;
}

describe('the next run of a stream that is upgraded', () => {
  it('is made while the last one runs, and begins when that has ended, from what it left', async () => {
    const world = await running({ prepares: 20 * SECOND });
    await world.request(stream({}, args('two')));
    await world.pass(15 * SECOND);
    expect(world.deployment).toMatchObject({ state: 'preparing', next: { generation: 2 }, run: { generation: 1 } });
    expect(world.runs.map(({ state }) => state)).toEqual(['running', 'starting']);
    expect(world.runs[0]).not.toHaveProperty('stopRequested');
    await world.pass(30 * SECOND);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2, runs: 2, run: { prepared: true } });
    expect(world.deployment).not.toHaveProperty('next');
    expect(world.deployment).not.toHaveProperty('leaving');
    const [first, second] = world.runs;
    expect(second?.attempts[0]?.restoredFrom).toEqual(first?.attempts[0]?.snapshot);
    expect(second?.startFrom).toEqual(first?.attempts[0]?.snapshot);
    expect(world.started[1]?.count).toBe(world.started[1]?.newest);
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
    const world = new StreamWorld({ fate: (number) => (number === 1 ? { removal: 10 * MINUTE } : {}) });
    await world.request(stream({}, PREPARED));
    await world.pass(30 * SECOND);
    await world.request(stream({}, args('two')));
    await world.pass(30 * SECOND);
    expect(world.runs.map(({ state }) => state)).toEqual(['cleaning', 'running']);
    expect(world.deployment).toMatchObject({ state: 'running', leaving: { id: world.runs[0]?.runId } });
    await world.pass(12 * MINUTE);
    expect(world.deployment).not.toHaveProperty('leaving');
    expect(world.violations).toEqual([]);
  });

  it('waits for the proof that nothing is left where another JobManager may still begin', async () => {
    const fate = { removal: 2 * MINUTE, unsealed: true };
    const world = new StreamWorld({ fate: (number) => (number === 1 ? fate : {}) });
    await world.request(stream({}, PREPARED));
    await world.pass(30 * SECOND);
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.runs.map(({ state }) => state)).toEqual(['cleaning', 'starting']);
    await world.pass(3 * MINUTE);
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'running']);
    expect(world.violations).toEqual([]);
  });

  it('is rejected when it fails of its own, and the last one was never stopped', async () => {
    const world = await running({ prepares: 'ImagePullFailed' });
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', settled: { generation: 2, reason: 'ImagePullFailed' } });
    expect(world.runs[0]).toMatchObject({ state: 'running' });
    expect(world.runs[0]).not.toHaveProperty('stopRequested');
    expect(world.told.slice(2)).toEqual(['accepted 2', 'preparing 2', 'upgrade-failed 2']);
    await world.request(stream({}, args('three')));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 3 });
    expect(world.violations).toEqual([]);
  });

  it.each([
    ['there is no room for two', 'QuotaExceeded' as const],
    ['it is not ready in time', 20 * MINUTE],
    ['its cluster is deleted', 'ClusterDeleted' as const],
  ])('gives way to the plain way when %s', async (_, prepares) => {
    const world = await running({ prepares });
    await world.request(stream({}, args('two')));
    await world.pass(7 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2, run: { generation: 2 } });
    expect(world.deployment.run).not.toHaveProperty('prepared');
    expect(world.told).toContain('unprepared 2');
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'closed', 'running']);
    expect(world.violations).toEqual([]);
  });

  it.each([
    ['a newer generation', stream({}, args('three')), 'running'],
    ['a wish to suspend', stream({}, { ...PREPARED, state: 'suspended' }), 'suspended'],
  ])('is ended when %s comes, and never begins', async (_, request, state) => {
    const world = await running({ prepares: MINUTE });
    await world.request(stream({}, args('two')));
    await world.pass(10 * SECOND);
    await world.request(request);
    await world.pass(2 * MINUTE);
    expect(world.deployment).toMatchObject({ state, reached: 3 });
    const [, second] = world.runs;
    expect(second).toMatchObject({ state: 'closed', outcome: { state: 'canceled', reason: 'ReplacedByNewerRun' } });
    expect(second && isHeld(second)).toBe(true);
    // Whatever runs in the end was prepared as well.
    expect(world.told.includes('preparing 3')).toBe(state === 'running');
    expect(world.started.map(({ run }) => run)).not.toContain(second?.runId);
    expect(world.violations).toEqual([]);
  });

  it('is gone before its deployment is suspended', async () => {
    const world = await running({ prepares: MINUTE, removal: 2 * MINUTE });
    await world.request(stream({}, args('two')));
    await world.pass(10 * SECOND);
    await world.request(stream({}, { ...PREPARED, state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'suspending', next: { dropped: true } });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'cleaning']);
    await world.pass(2 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'suspended', reached: 3 });
    expect(world.deployment).not.toHaveProperty('next');
    expect(world.violations).toEqual([]);
  });

  it('is gone before its deployment is suspended, although it found no room', async () => {
    const world = await running({ prepares: 'QuotaExceeded', removal: 4 * MINUTE });
    await world.request(stream({}, args('two')));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2, next: { dropped: true } });
    await world.request(stream({}, { ...PREPARED, state: 'suspended' }));
    await world.pass(MINUTE);
    expect(world.deployment).toMatchObject({ state: 'suspending' });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'cleaning', 'closed']);
    await world.pass(4 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'suspended', reached: 3 });
    expect(world.violations).toEqual([]);
  });

  it('that ends before its permit leaves the state to a run of the usual kind', async () => {
    const fate = { removal: 30 * SECOND, unsealed: true };
    const world = new StreamWorld({ fate: (number) => (number === 1 ? fate : {}) });
    await world.request(stream({}, PREPARED));
    await world.pass(30 * SECOND);
    await world.request(stream({}, args('two')));
    await world.pass(20 * SECOND);
    const [, next] = world.runs;
    const stored = next && (await world.parts.ledger.read(next.runId));
    if (stored?.value.state !== 'starting') throw new Error('it is not ready');
    const cancelRequested = { at: world.clock.now(), by: 'somebody', reason: 'JobCanceled' as const };
    await world.parts.ledger.replace({ ...stored.value, cancelRequested }, stored.version);
    await world.pass(2 * MINUTE);
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2 });
    expect(world.runs.map(({ state }) => state)).toEqual(['closed', 'closed', 'running']);
    expect(world.started[1]?.count).toBe(world.started[1]?.newest);
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
    expect(world.deployment).toMatchObject({ state: 'running', reached: 2, run: { prepared: true, why: 'restart' } });
  });
});
