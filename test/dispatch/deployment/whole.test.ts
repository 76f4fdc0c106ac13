import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import { parseClusterId } from '../../../lib/core/ids.ts';
import { CHECKPOINTS, SAVEPOINTS, stream } from './stream-world.ts';
import { Whole } from './whole.ts';

it.each([
  ['savepoint', SAVEPOINTS],
  ['last-state', CHECKPOINTS],
])(
  'a stream is created, upgraded by %s, suspended and resumed, each run from what the last one left',
  async (mode, place) => {
    const whole = new Whole();
    const job = (text: string, more = {}) => stream({}, { upgradeMode: mode, args: [text], ...more });
    const { world } = whole;
    await world.request(job('one'));
    await whole.pass(15);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 1 });
    const checkpoint = (): void => {
      const running = whole.runs.find(({ state }) => state === 'running');
      world.flink.streams.checkpoint(running?.attempts.at(-1)?.clusterId ?? '', CHECKPOINTS);
    };
    checkpoint();
    await world.request(job('two'));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2 });
    checkpoint();
    await world.request(job('two', { state: 'suspended' }));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'suspended', reached: 3 });
    expect(whole.runs.every(({ state }) => state === 'closed')).toBe(true);
    await world.request(job('three'));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 4, runs: 3 });
    const [first, second, third] = whole.runs;
    expect(first?.attempts[0]?.restoredFrom).toBeUndefined();
    for (const [before, after] of [
      [first, second],
      [second, third],
    ]) {
      const left = before?.attempts.at(-1)?.snapshot;
      expect(left?.path.startsWith(place)).toBe(true);
      expect(after?.attempts[0]?.restoredFrom).toEqual(left);
    }
    expect(third?.job?.args).toEqual(['three']);
  },
);

describe('a run that is prepared', () => {
  const job = (text: string, more = {}) => stream({}, { prepareUpgrade: true, args: [text], ...more });

  async function counting(): Promise<Whole> {
    const whole = new Whole();
    await whole.world.request(job('one'));
    await whole.pass(15);
    return whole;
  }

  it('has its JobManager, its TaskManagers and its jar, and gets its program when the last job has ended', async () => {
    const whole = await counting();
    const { world } = whole;
    world.sessions.slotsAvailable = 0;
    await world.request(job('two'));
    await whole.pass(10);
    expect(whole.deployment.state).toBe('preparing');
    expect(whole.runs.map(({ state }) => state)).toEqual(['running', 'starting']);
    const cluster = world.clusters.standing({ namespace: 'flink', clusterId: parseClusterId(whole.clusterOf(1)) });
    expect(cluster).toBeDefined();
    expect(world.sessions.planned).toHaveLength(1);
    expect(world.sessions.mains).toEqual([]);
    world.sessions.slotsAvailable = 1;
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    const [first, second] = whole.runs;
    const left = first?.attempts[0]?.snapshot;
    expect(left?.kind).toBe('savepoint');
    expect(world.sessions.requests).toMatchObject([
      { jobId: second?.attempts[0]?.jobId, savepointPath: left?.path, claimMode: 'NO_CLAIM', programArgs: ['two'] },
    ]);
    expect(second?.attempts[0]?.restoredFrom).toEqual(left);
    expect(first?.state).toBe('closed');
  });

  it('is stopped with a savepoint like any other, by the next one that is prepared', async () => {
    const whole = await counting();
    for (const text of ['two', 'three']) {
      await whole.world.request(job(text));
      await whole.pass(40);
    }
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 3, runs: 3 });
    const [, second, third] = whole.runs;
    expect(second).toMatchObject({ state: 'closed', outcome: { reason: 'StoppedWithSavepoint' } });
    expect(third?.attempts[0]?.restoredFrom).toEqual(second?.attempts[0]?.snapshot);
    expect(whole.world.sessions.mains).toHaveLength(2);
  });

  it('whose main() fails is rejected before the last one is touched', async () => {
    const whole = await counting();
    whole.world.sessions.planFails = { message: 'java.lang.IllegalStateException: no topic', stackTrace: '' };
    await whole.world.request(job('two'));
    await whole.pass(30);
    expect(whole.deployment).toMatchObject({
      state: 'running',
      settled: { generation: 2, reason: 'ApplicationFailed' },
    });
    expect(whole.runs[0]).toMatchObject({ state: 'running' });
    expect(whole.runs[0]).not.toHaveProperty('stopRequested');
    expect(whole.runs[1]).toMatchObject({ state: 'closed', outcome: { state: 'failed', reason: 'ApplicationFailed' } });
  });

  it('whose JobManager is another one has to be made ready again', async () => {
    const whole = await counting();
    const { world } = whole;
    world.sessions.slotsAvailable = 0;
    await world.request(job('two'));
    await whole.pass(10);
    const ref = { namespace: 'flink', clusterId: parseClusterId(whole.clusterOf(1)) };
    world.flink.restarted.add(ref.clusterId);
    world.sessions.forget(ref);
    world.sessions.slotsAvailable = 1;
    await whole.pass(40);
    expect(world.sessions.planned).toHaveLength(2);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
  });

  it('that loses its job is tried again on a cluster of the usual kind', async () => {
    const whole = await counting();
    const { world } = whole;
    world.sessions.jobs = [{ mainFails: { message: 'java.lang.NoClassDefFoundError: x', stackTrace: '' } }];
    await world.request(job('two'));
    await whole.pass(80);
    const [, second] = whole.runs;
    expect(second?.attempts).toHaveLength(2);
    expect(second?.attempts[1]?.restoredFrom).toEqual(second?.attempts[0]?.restoredFrom);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2 });
  });
});

describe('a run that is compared with the state', () => {
  const id = (digit: string): string => digit.repeat(32);
  const node = (digit: string) => ({ id: id(digit), description: digit, inputs: [] });
  const job = (text: string, more = {}) => {
    const plan = { upgradeMode: 'last-state', prepareUpgrade: true, checkState: true };
    return stream({}, { ...plan, args: [text], ...more });
  };

  /** A job whose state has the operators 1 and 2, and a next one that has 1 alone. */
  async function counting(): Promise<Whole> {
    const whole = new Whole();
    const { world } = whole;
    await world.request(job('one'));
    await whole.pass(15);
    world.flink.streams.checkpoint(whole.clusterOf(0), CHECKPOINTS);
    const [path = ''] = [...world.state.complete.keys()];
    const operators = ['1', '2'].map((digit) => ({ id: id(digit), parallelism: 1, maxParallelism: 8, bytes: 9 }));
    world.state.operators.set(
      path,
      operators.map((one) => ({ ...one, hasState: true })),
    );
    world.sessions.nodes = [node('1')];
    return whole;
  }

  it('is refused where it would lose some of it, before the last one is touched', async () => {
    const whole = await counting();
    await whole.world.request(job('two'));
    await whole.pass(30);
    const { settled, state } = whole.deployment;
    expect(state).toBe('running');
    expect(settled).toMatchObject({ generation: 2, reason: 'StateIncompatible' });
    expect(settled?.message).toBe(`The new program has no operator for the state of operator ${id('2')} (9 bytes)`);
    expect(settled?.choices[1]).toContain('job.allowNonRestoredState: true');
    expect(whole.runs[0]).toMatchObject({ state: 'running' });
    expect(whole.runs[0]).not.toHaveProperty('stopRequested');
    expect(whole.runs[1]).toMatchObject({ state: 'closed', outcome: { state: 'canceled' } });
    const [, unchained] = whole.world.sessions.planned;
    expect(unchained?.flinkConfiguration).toEqual({ 'pipeline.operator-chaining.enabled': 'false' });
  });

  it('takes over where all of it fits, and where it may lose some, which is said', async () => {
    const whole = await counting();
    await whole.world.request(job('two', { allowNonRestoredState: true }));
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    const told = whole.deployment.events.find(({ type, generation }) => type === 'upgrading' && generation === 2);
    expect(told?.message).toMatch(/is left out, as job.allowNonRestoredState has it$/);
    whole.world.sessions.nodes = [node('1'), node('2')];
    await whole.world.request(job('three'));
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 3, run: { prepared: true } });
  });

  it.each([
    ['StateStorageDenied', 'is in no storage (test)'],
    ['StateUnreadable', 'the file ends (test)'],
  ] as const)('takes over unseen where the state cannot be read (%s), which is said', async (reason, message) => {
    const whole = await counting();
    whole.world.state.faults.plan('content', 'before', new DispatchError(reason, message));
    await whole.world.request(job('two'));
    await whole.pass(40);
    expect(whole.deployment).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    const told = whole.deployment.events.find(({ type, generation }) => type === 'upgrading' && generation === 2);
    expect(told?.message).toBe(`The state was not compared with the new program: ${message}`);
  });

  it('waits for a storage that does not answer at once', async () => {
    const whole = await counting();
    whole.world.state.faults.plan('content', 'before', new DispatchError('StateStorageUnavailable', 'slow down'));
    await whole.world.request(job('two'));
    await whole.pass(60);
    expect(whole.deployment).toMatchObject({ state: 'running', settled: { reason: 'StateIncompatible' } });
  });
});
