import { describe, expect, it } from 'vitest';
import type { JarRun } from '../../../lib/flink/job-manager.ts';
import { flinkMetadata } from '../../fakes/flink-metadata.ts';
import { OPERATORS, WITHOUT } from '../../prove/streams/operators.ts';
import { keyOf } from '../../prove/streams/stream-truth.ts';
import { DeploymentsWorld, stream, TAKES_NONE } from '../world/deployments-world.ts';
import { CHECKPOINTS, DIRECTORIES, SAVEPOINTS, type Fate } from '../world/streams-world.ts';

const SECOND = 1000;

it.each([
  ['savepoint', SAVEPOINTS],
  ['last-state', CHECKPOINTS],
])(
  'a stream is created, upgraded by %s, suspended and resumed, each run from what the last one left',
  async (mode, place) => {
    const world = new DeploymentsWorld();
    const job = (text: string, more = {}) => stream({}, { upgradeMode: mode, args: [text], ...more });
    await world.request(job('one'));
    await world.pass(15 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 1 });
    await world.request(job('two'));
    await world.pass(30 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    await world.request(job('two', { state: 'suspended' }));
    await world.pass(30 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'suspended', reached: 3 });
    expect(world.runs.every(({ state }) => state === 'closed')).toBe(true);
    await world.request(job('three'));
    await world.pass(30 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 4, runs: 3 });
    const [first, second, third] = world.runs;
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
    expect(world.violations).toEqual([]);
  },
);

/** Its JobManagers are handed their programs. */
class Handing extends DeploymentsWorld {
  /** What main()s were run with, for their plans and for their jobs. */
  readonly mains: Readonly<Record<'plan' | 'run', JarRun[]>> = { plan: [], run: [] };

  constructor(fateOf?: (run: number) => Fate) {
    super(fateOf);
    this.flink.prepared.onMain = (verb, run) => this.mains[verb].push(run);
  }
}

describe('a run that is prepared', () => {
  const job = (text: string, more = {}) => stream({}, { prepareUpgrade: true, args: [text], ...more });

  async function counting(fateOf?: (run: number) => Fate): Promise<Handing> {
    const world = new Handing(fateOf);
    await world.request(job('one'));
    await world.pass(15 * SECOND);
    return world;
  }

  it('has its JobManager, its TaskManagers and its jar, and gets its program when the last job has ended', async () => {
    const world = await counting();
    await world.request(job('two'));
    await world.passUntil(({ runs }) => runs[1]?.prepared?.jarId !== undefined, 10 * SECOND);
    expect(world.deployed.state).toBe('preparing');
    expect(world.runs.map(({ state }) => state)).toEqual(['running', 'starting']);
    expect(world.standing(world.clusterOf(2))).toBeDefined();
    expect(world.mains.plan).toHaveLength(1);
    expect(world.mains.run).toEqual([]);
    await world.pass(30 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    const [first, second] = world.runs;
    const left = first?.attempts[0]?.snapshot;
    expect(left?.kind).toBe('savepoint');
    expect(world.mains.run).toMatchObject([
      { jobId: second?.attempts[0]?.jobId, savepointPath: left?.path, claimMode: 'NO_CLAIM', programArgs: ['two'] },
    ]);
    expect(second?.attempts[0]?.restoredFrom).toEqual(left);
    expect(first?.state).toBe('closed');
    expect(world.violations).toEqual([]);
  });

  it('is stopped with a savepoint like any other, by the next one that is prepared', async () => {
    const world = await counting();
    for (const text of ['two', 'three']) {
      await world.request(job(text));
      await world.pass(40 * SECOND);
    }
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3, runs: 3 });
    const [, second, third] = world.runs;
    expect(second).toMatchObject({ state: 'closed', outcome: { reason: 'StoppedWithSavepoint' } });
    expect(third?.attempts[0]?.restoredFrom).toEqual(second?.attempts[0]?.snapshot);
    expect(world.mains.run).toHaveLength(2);
    expect(world.violations).toEqual([]);
  });

  it('whose main() fails is rejected before the last one is touched', async () => {
    const world = await counting((run) => (run === 2 ? { mainFails: true } : {}));
    await world.request(job('two'));
    await world.pass(30 * SECOND);
    expect(world.deployed).toMatchObject({
      state: 'running',
      settled: { generation: 2, reason: 'ApplicationFailed' },
    });
    expect(world.runs[0]).toMatchObject({ state: 'running' });
    expect(world.runs[0]).not.toHaveProperty('stopRequested');
    expect(world.runs[1]).toMatchObject({ state: 'closed', outcome: { state: 'failed', reason: 'ApplicationFailed' } });
    expect(world.violations).toEqual([]);
  });

  it('whose JobManager is another one has to be made ready again', async () => {
    const world = await counting();
    await world.request(job('two'));
    await world.passUntil(({ runs }) => runs[1]?.prepared?.jarId !== undefined, 10 * SECOND);
    expect(world.runs[1]?.prepared).not.toHaveProperty('readyAt');
    world.kill(world.clusterOf(2));
    await world.pass(40 * SECOND);
    expect(world.mains.plan).toHaveLength(2);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    expect(world.violations).toEqual([]);
  });

  it('that loses its job is tried again on a cluster of the usual kind', async () => {
    const world: Handing = await counting((run) => ({
      mainFails: run === 2 && world.mains.run.length > 0 && world.runs[1]?.attempts.length === 1,
    }));
    await world.request(job('two'));
    await world.pass(80 * SECOND);
    const [, second] = world.runs;
    expect(second?.attempts).toHaveLength(2);
    expect(second?.attempts[1]?.restoredFrom).toEqual(second?.attempts[0]?.restoredFrom);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2 });
    expect(world.violations).toEqual([]);
  });
});

describe('a run that is compared with the state', () => {
  const job = (args: readonly string[], more = {}, spec = {}) => {
    const plan = { upgradeMode: 'last-state', prepareUpgrade: true, checkState: true };
    return stream(spec, { ...plan, args, ...more });
  };

  /** A job whose state has two operators. */
  async function counting(spec = {}): Promise<Handing> {
    const world = new Handing(() => TAKES_NONE);
    await world.request(job(['one'], {}, spec));
    await world.pass(15 * SECOND);
    return world;
  }

  it('is refused where it would lose some of it, before the last one is touched', async () => {
    const world = await counting();
    world.checkpointOf(1);
    await world.request(job([WITHOUT]));
    await world.pass(30 * SECOND);
    const { settled, state } = world.deployed;
    expect(state).toBe('running');
    expect(settled).toMatchObject({ generation: 2, reason: 'StateIncompatible' });
    expect(settled?.message).toBe(
      `The new program has no operator for the state of operator ${OPERATORS[1]} (1 bytes)`,
    );
    expect(settled?.choices[1]).toContain('job.allowNonRestoredState: true');
    expect(world.runs[0]).toMatchObject({ state: 'running' });
    expect(world.runs[0]).not.toHaveProperty('stopRequested');
    expect(world.runs[1]).toMatchObject({ state: 'closed', outcome: { state: 'canceled' } });
    const [, unchained] = world.mains.plan;
    expect(unchained?.flinkConfiguration).toEqual({ 'pipeline.operator-chaining.enabled': 'false' });
    expect(world.violations).toEqual([]);
  });

  it('takes over where all of it fits, and where it may lose some, which is said', async () => {
    const world = await counting();
    world.checkpointOf(1);
    await world.request(job([WITHOUT], { allowNonRestoredState: true }));
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    const told = world.deployed.events.find(({ type, generation }) => type === 'upgrading' && generation === 2);
    expect(told?.message).toMatch(/is left out, as job.allowNonRestoredState has it$/);
    world.checkpointOf(2);
    await world.request(job(['three']));
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 3, run: { prepared: true } });
  });

  const elsewhere = { flinkConfiguration: { ...DIRECTORIES, 'execution.checkpointing.dir': 's3://elsewhere/chk' } };
  it.each([
    ['StateStorageDenied', elsewhere, /s3:\/\/elsewhere\/chk.* is not in allow.stateStorage$/],
    ['StateUnreadable', {}, /_metadata cannot be read: /],
  ])('takes over unseen where the state cannot be read (%s), which is said', async (_, spec, message) => {
    const world = await counting(spec);
    world.s3.store(`${keyOf(world.checkpointOf(1))}/_metadata`, flinkMetadata(1, OPERATORS).subarray(0, 40));
    await world.request(job(['two'], {}, spec));
    await world.pass(40 * SECOND);
    expect(world.deployed).toMatchObject({ state: 'running', reached: 2, run: { prepared: true } });
    const told = world.deployed.events.find(({ type, generation }) => type === 'upgrading' && generation === 2);
    expect(told?.message).toMatch(/^The state was not compared with the new program: /);
    expect(told?.message).toMatch(message);
    expect(world.violations).toEqual([]);
  });

  it('waits for a storage that does not answer at once', async () => {
    const world = await counting();
    world.checkpointOf(1);
    world.plans.strike(/ s3 get chk\//, 'throttled');
    await world.request(job([WITHOUT]));
    await world.pass(60 * SECOND);
    expect(world.sim.faults.struck).toHaveLength(1);
    expect(world.deployed).toMatchObject({ state: 'running', settled: { reason: 'StateIncompatible' } });
    expect(world.violations).toEqual([]);
  });
});
