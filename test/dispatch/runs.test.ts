import { describe, expect, it } from 'vitest';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { clusterIdFor, type RunId } from '../../lib/core/ids.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { advance } from '../../lib/dispatch/advance.ts';
import { crashedPods, HEALTHY } from './world/fake-flink.ts';
import { expectClosedCleanly } from './world/invariants.ts';
import { jobMessage, QUEUE_ARN, World } from './world/world.ts';
import { ownerOf } from '../fakes/ids.ts';

const MINUTE = 60_000;
const FOREVER = { restAfter: 600, runsAfter: 1100 };

describe('a run', () => {
  it('is accepted, started and completed, in this order, on one cluster that is gone at the end', async () => {
    const world = new World();
    const { runId, result } = await world.request(jobMessage());
    await world.drain();
    expect(result).toBe('accepted');
    const [accepted, started, completed] = world.events(runId);
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    const { clusterId, jobId } = world.record(runId).attempts[0] ?? {};
    expect(accepted).toMatchObject({ id: `${runId}.1`, subject: runId, data: { sequence: 1, name: 'word-count' } });
    expect(started).toMatchObject({ id: `${runId}.2`, data: { attempt: 1, clusterId, jobId } });
    expect(completed).toMatchObject({
      id: `${runId}.3`,
      data: { reason: 'JobFinished', flinkState: 'FINISHED', jobDuration: 1000, clusterId, jobId },
    });
    expect(world.created(runId)).toEqual([`flink/${clusterId ?? ''}#${runId}-1`]);
    const items = completed?.data.evidence?.items.map(({ name }) => name);
    expect(items).toEqual(expect.arrayContaining(['kubernetes.json', 'rest.json', `${clusterId ?? ''}-x.log`]));
    expect([...world.evidence.files.keys()]).toEqual(completed?.data.evidence?.items.map(({ uri }) => uri));
    await expectClosedCleanly(world, runId);
  });

  it('is one run, however often its request is delivered', async () => {
    const world = new World();
    const request = jobMessage();
    const [first, ...more] = await Promise.all([1, 2, 3].map(() => world.request(request)));
    await world.drain();
    more.push(await world.request(request));
    await world.drain();
    expect(new Set([first, ...more].map((accepted) => accepted?.runId)).size).toBe(1);
    expect(more.at(-1)?.result).toBe('duplicate');
    expect(world.ledger.records).toHaveLength(1);
    expect(world.clusters.created).toHaveLength(1);
    if (first !== undefined) await expectClosedCleanly(world, first.runId);
  });

  it('is one run when several functions advance it at the same time', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    const message = { version: 1, runId, step: 1 } as const;
    const deadline = world.clock.now() + MINUTE;
    await Promise.all([1, 2, 3].map(() => advance(message, world.dispatch, deadline)));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.created(runId)).toHaveLength(1);
    await expectClosedCleanly(world, runId);
  });

  it('holds no function while it waits, when its look is late because others queue', async () => {
    const step = async (late: number): Promise<{ readonly waited: number; readonly state: string }> => {
      const world = new World();
      const { runId } = await world.request(jobMessage());
      world.clock.time += late;
      const before = world.clock.now();
      await advance({ version: 1, runId, step: 1 }, world.dispatch, before + MINUTE);
      return { waited: world.clock.now() - before, state: world.record(runId).state };
    };
    expect(await step(10_000)).toEqual({ waited: 0, state: 'starting' });
    expect((await step(1_000)).waited).toBeGreaterThan(0);
  });

  it('is left alone by a message that is older than its record, and by one without a run', async () => {
    const world = new World({ inlineWait: 0 });
    const { runId } = await world.request(jobMessage());
    await world.drainFor(3000);
    const before = world.record(runId);
    const effects = world.effects.names.length;
    await advance({ version: 1, runId, step: 1 }, world.dispatch, world.clock.now() + MINUTE);
    expect(world.record(runId)).toEqual(before);
    expect(world.effects.names.slice(effects)).toEqual(['ledger.read']);
    const unknown = '0123456789abcdef0123' as typeof runId;
    await advance({ version: 1, runId: unknown, step: 1 }, world.dispatch, world.clock.now() + MINUTE);
    expect(world.logged.at(-1)).toContain('without a run');
  });

  it('goes on from what somebody else wrote meanwhile', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    const replace = world.ledger.replace.bind(world.ledger);
    let interfered = false;
    world.ledger.replace = async (record, version) => {
      const stored = await world.ledger.read(runId);
      if (!interfered && record.state === 'starting' && stored !== undefined) {
        interfered = true;
        await replace(stored.value, stored.version);
      }
      return replace(record, version);
    };
    await world.drain();
    expect(interfered).toBe(true);
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    await expectClosedCleanly(world, runId);
  });

  it('that fails tells its root exception', async () => {
    const world = new World();
    const rootException = { message: 'java.io.FileNotFoundException: /in', stackTrace: 'java.io…\n\tat a.B.main' };
    world.flink.behaviours = [{ ...HEALTHY, end: 'FAILED', result: { rootException } }];
    const { runId } = await world.request(jobMessage({ retry: { attempts: 5 } }));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'failed']);
    expect(world.events(runId).at(-1)?.data).toMatchObject({
      reason: 'JobFailed',
      reasonClass: 'user',
      message: 'The job failed: java.io.FileNotFoundException: /in',
      rootException: rootException.message,
      stackTrace: rootException.stackTrace,
    });
    expect(world.created(runId)).toHaveLength(1);
    await expectClosedCleanly(world, runId);
  });

  it('does not publish again while Kubernetes is away at its launch', async () => {
    const world = new World();
    world.clusters.faults.push(
      ...[1, 2, 3].map(() => ({
        method: 'apply' as const,
        when: 'before' as const,
        error: new DispatchError('ClusterUnavailable', 'no answer'),
      })),
    );
    const { runId } = await world.request(jobMessage());
    await world.drain();
    expect(world.publisher.published.map(({ event }) => event.id)).toEqual([1, 2, 3].map((n) => `${runId}.${n}`));
  });

  it('publishes its start once, when Kubernetes does not answer the look after it', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    const observe = world.clusters.observe.bind(world.clusters);
    let away = 3;
    world.clusters.observe = (ref) => {
      if (world.record(runId).state !== 'running' || away === 0) return observe(ref);
      away -= 1;
      return Promise.reject(new DispatchError('ClusterUnavailable', 'no answer'));
    };
    await world.drain();
    expect(away).toBe(0);
    expect(world.publisher.published.map(({ event }) => event.id)).toEqual([1, 2, 3].map((n) => `${runId}.${n}`));
  });

  it('ends although its events are late, and is not removed before its end is announced', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    const publish = world.publisher.publish.bind(world.publisher);
    world.publisher.publish = () => Promise.reject(new DispatchError('StorageUnavailable', 'no bus'));
    await world.drainFor(5 * MINUTE);
    expect(world.record(runId)).toMatchObject({ state: 'ended', outcome: { state: 'succeeded' } });
    const clusterId = world.record(runId).attempts[0]?.clusterId;
    if (clusterId === undefined) throw new Error('no attempt');
    expect(world.clusters.standing({ namespace: 'flink', clusterId })).toBeDefined();
    world.publisher.publish = publish;
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    await expectClosedCleanly(world, runId);
  });
});

describe('another attempt', () => {
  it('begins only when nothing is left of the first', async () => {
    const world = new World();
    world.clusters.looksToGo = 4;
    world.flink.behaviours = [{ pods: crashedPods }, HEALTHY];
    const left: number[] = [];
    const apply = world.clusters.apply.bind(world.clusters);
    world.clusters.apply = async (cluster, owner) => {
      const others = world.clusters.created.map((name) => name.split('#')[0]?.split('/')[1]);
      for (const clusterId of others.filter((name) => name !== cluster.clusterId)) {
        const ref = { namespace: 'flink', clusterId: clusterId as typeof cluster.clusterId };
        left.push((await world.clusters.remains(ref)).length);
      }
      return apply(cluster, owner);
    };
    const { runId } = await world.request(jobMessage({ retry: { attempts: 2, backoff: '30s' } }));
    await world.drain();
    expect(left).toEqual([0]);
    const [first, second] = world.record(runId).attempts;
    expect(first?.outcome).toMatchObject({ reason: 'JobManagerCrashed' });
    expect((second?.launchedAt ?? 0) - (first?.outcome?.at ?? 0)).toBeGreaterThanOrEqual(30_000);
    expect(second?.jobId).not.toBe(first?.jobId);
    expect(world.events(runId)[1]?.data).toMatchObject({
      state: 'attempt-failed',
      attempt: 1,
      reason: 'JobManagerCrashed',
    });
    await expectClosedCleanly(world, runId);
  });

  it('is the last one when the attempts are used up', async () => {
    const world = new World();
    world.flink.behaviours = [{ pods: crashedPods }];
    const { runId } = await world.request(jobMessage({ retry: { attempts: 3, backoff: '1s' } }));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'attempt-failed', 'attempt-failed', 'failed']);
    expect(world.created(runId)).toHaveLength(3);
    await expectClosedCleanly(world, runId);
  });

  it('is not used up by a wait for quota', async () => {
    const world = new World();
    const error = new DispatchError('QuotaExceeded', 'exceeded quota: cpu');
    for (let i = 0; i < 4; i += 1) world.clusters.faults.push({ method: 'apply', when: 'before', error });
    const { runId } = await world.request(jobMessage());
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded' });
    expect(world.created(runId)).toHaveLength(1);
    await expectClosedCleanly(world, runId);
  });
});

describe('a cluster of another owner', () => {
  it.each([1, 2])('that has the name is not touched, with %i attempts', async (attempts) => {
    const world = new World();
    const { runId } = await world.request(jobMessage({ retry: { attempts, backoff: '1s' } }));
    const ref = { namespace: 'flink', clusterId: clusterIdFor('word-count', runId, 1) };
    const other = { ...ref, deployment: {}, dependents: [], configuration: {} };
    await world.clusters.apply(other, ownerOf('another'));
    await world.drain();
    expect(world.clusters.standing(ref)?.owner).toEqual(ownerOf('another'));
    expect(world.states(runId)).toEqual(
      attempts === 1 ? ['accepted', 'failed'] : ['accepted', 'attempt-failed', 'started', 'succeeded'],
    );
    expect(world.record(runId).attempts[0]?.outcome?.reason).toBe('ClusterNameTaken');
  });

  it('that has the name of an object beside the Deployment leaves none of the run’s own', async () => {
    const world = new World();
    const error = new DispatchError('ClusterNameTaken', 'Service word-count-rest belongs to no cluster');
    world.clusters.faults.push({ method: 'apply', when: 'after', error });
    const { runId } = await world.request(jobMessage({ retry: { attempts: 2, backoff: '1s' } }));
    await world.drain();
    // Its program may have begun.
    expect(world.states(runId)).toEqual(['accepted', 'unknown']);
    expect(world.created(runId)).toHaveLength(1);
    await expectClosedCleanly(world, runId);
  });
});

describe('a run that is canceled', () => {
  const request = { by: 'a test', reason: 'JobCanceled' } as const;

  it('cancels its job, and says so', async () => {
    const world = new World();
    world.flink.behaviours = [FOREVER];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(10_000);
    expect(await cancelRun(runId, request, world.dispatch)).toBe(true);
    expect(await cancelRun(runId, request, world.dispatch)).toBe(true);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'canceled']);
    expect(new Set(world.flink.cancels)).toEqual(new Set([world.record(runId).attempts[0]?.jobId]));
    expect(await cancelRun(runId, request, world.dispatch)).toBe(false);
    await expectClosedCleanly(world, runId);
  });

  it('loses its cluster when the JobManager does not hear', async () => {
    const world = new World();
    world.flink.behaviours = [{ ...FOREVER, deafToCancel: true }];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(10_000);
    await cancelRun(runId, request, world.dispatch);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'canceled']);
    await expectClosedCleanly(world, runId);
  });

  it('makes no cluster when it was not launched yet', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    await cancelRun(runId, request, world.dispatch);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'canceled']);
    expect(world.created(runId)).toEqual([]);
    await expectClosedCleanly(world, runId);
  });
});

describe('runs of one concurrency key', () => {
  const with_ = (policy: string): Record<string, unknown> => ({ concurrency: { key: 'k', policy } });

  async function two(policy: string): Promise<{ world: World; first: string; second: string }> {
    const world = new World();
    world.flink.behaviours = [{ ...HEALTHY, endsAfter: 40_000 }];
    const first = await world.request(jobMessage(with_(policy)));
    await world.drainFor(5000);
    const second = await world.request(jobMessage(with_(policy)));
    await world.drain();
    await expectClosedCleanly(world, first.runId);
    await expectClosedCleanly(world, second.runId);
    return { world, first: first.runId, second: second.runId };
  }

  it('follow each other with queue', async () => {
    const { world, first, second } = await two('queue');
    const [a, b] = [first, second].map((id) => world.ledger.records.find(({ runId }) => runId === id));
    expect([a?.outcome?.state, b?.outcome?.state]).toEqual(['succeeded', 'succeeded']);
    expect(b?.attempts[0]?.launchedAt).toBeGreaterThanOrEqual(a?.attempts[0]?.removalVerifiedAt ?? Infinity);
  });

  it('refuse the newer one with forbid', async () => {
    const { world, first, second } = await two('forbid');
    const [a, b] = [first, second].map((id) => world.ledger.records.find(({ runId }) => runId === id));
    expect(a?.outcome?.state).toBe('succeeded');
    expect(b?.outcome).toMatchObject({ state: 'rejected', reason: 'ConcurrencyForbidden' });
    expect(b?.attempts).toEqual([]);
  });

  it('cancel the older one with replace, and say by whom', async () => {
    const { world, first, second } = await two('replace');
    const [a, b] = [first, second].map((id) => world.ledger.records.find(({ runId }) => runId === id));
    expect(a?.outcome).toMatchObject({ state: 'canceled', reason: 'ReplacedByNewerRun', flinkState: 'CANCELED' });
    expect(a?.outcome?.message).toContain(second);
    expect(b?.outcome?.state).toBe('succeeded');
    expect(b?.attempts[0]?.launchedAt).toBeGreaterThanOrEqual(a?.attempts[0]?.removalVerifiedAt ?? Infinity);
  });

  it('take the lock that a closed run has left behind', async () => {
    const world = new World();
    const first = await world.request(jobMessage(with_('queue')));
    await world.drain();
    world.locks.holders.set('k', first.runId);
    const second = await world.request(jobMessage(with_('forbid')));
    await world.drain();
    expect(world.states(second.runId)).toEqual(['accepted', 'started', 'succeeded']);
    await expectClosedCleanly(world, second.runId);
  });
});

describe('a kept cluster', () => {
  const bad = { ...HEALTHY, end: 'FAILED' as const };

  it.each([
    ['always', HEALTHY, true],
    ['on-failure', bad, true],
    ['on-failure', HEALTHY, false],
    ['never', bad, false],
  ])('%s', async (keepCluster, behaviour, kept) => {
    const world = new World();
    world.flink.behaviours = [behaviour];
    const { runId } = await world.request(jobMessage({ afterEnd: { keepCluster, ttl: '1h' } }));
    await world.drainFor(50 * MINUTE);
    await world.sweep();
    const clusterId = world.record(runId).attempts[0]?.clusterId;
    if (clusterId === undefined) throw new Error('no attempt');
    expect(world.clusters.standing({ namespace: 'flink', clusterId }) !== undefined).toBe(kept);
    expect(world.record(runId).state).toBe(kept ? 'cleaning' : 'closed');
    await world.drainFor(15 * MINUTE);
    await expectClosedCleanly(world, runId);
  });

  it('does not hold up the next run of its key once its job is over', async () => {
    const world = new World();
    const spec = { concurrency: { key: 'k', policy: 'queue' }, afterEnd: { keepCluster: 'always', ttl: '1h' } };
    const first = await world.request(jobMessage(spec));
    await world.drainFor(MINUTE);
    const second = await world.request(jobMessage(spec));
    await world.drainFor(MINUTE);
    expect(world.record(first.runId).state).toBe('cleaning');
    expect(world.record(second.runId).outcome?.state).toBe('succeeded');
  });
});

describe('a request that is refused', () => {
  it('is a rejected run: an event, and a dead letter for its sender', async () => {
    const world = new World();
    const { runId, result } = await world.request(jobMessage({ image: 'evil:1' }));
    await world.drain();
    expect(result).toBe('rejected');
    expect(world.events(runId).map(({ data }) => data)).toMatchObject([
      { state: 'rejected', reason: 'NotAllowed', field: 'image', sequence: 1 },
    ]);
    expect(world.deadLetters.letters).toMatchObject([{ source: QUEUE_ARN, reason: 'NotAllowed', field: 'image' }]);
    expect(JSON.parse(world.deadLetters.letters[0]?.body ?? '')).toMatchObject({ image: 'evil:1' });
    expect(world.clusters.calls).toEqual([]);
    await expectClosedCleanly(world, runId);
  });

  it('gets its dead letter when its message comes again, even after its run was closed', async () => {
    const world = new World();
    const message = jobMessage({ image: 'evil:1' });
    world.deadLetters.faults.plan('put', 'before');
    await expect(world.request(message)).rejects.toThrow();
    await world.drain();
    const again = await world.request(message);
    expect(world.record(again.runId).state).toBe('closed');
    expect(again.result).toBe('duplicate');
    expect(world.deadLetters.letters).toMatchObject([{ reason: 'NotAllowed', field: 'image' }]);
  });

  it('is refused when it is made, for what Flink would refuse at its launch', async () => {
    const world = new World();
    const options = { 'taskmanager.memory.process.size': '64m' };
    const { runId } = await world.request(jobMessage({ flinkConfiguration: options }));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'rejected', reason: 'InvalidConfiguration' });
  });

  it('has the key of another payload: it is refused under an id of its own, once', async () => {
    const world = new World();
    const first = await world.request(jobMessage({}, 'key'));
    await world.drain();
    const other = jobMessage({ name: 'other' }, 'key');
    const second = await world.request(other);
    const again = await world.request(other);
    await world.drain();
    expect([second.result, again.result]).toEqual(['rejected', 'duplicate']);
    expect(again.runId).toBe(second.runId);
    expect(second.runId).not.toBe(first.runId);
    expect(world.states(first.runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.events(second.runId)[0]?.data).toMatchObject({ state: 'rejected', reason: 'IdempotencyConflict' });
    await expectClosedCleanly(world, second.runId);
  });

  it('has the key of another payload, and its function died: the dead letter is written all the same', async () => {
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const world = new World({ fault: { at: at + 3, when: 'before', kind: 'crash' } });
      await world.request(jobMessage({}, 'key'));
      await world.request(jobMessage({ name: 'other' }, 'key'));
      await world.drain();
      expect(world.deadLetters.letters[0]?.reason, `effect ${at}`).toBe('IdempotencyConflict');
    }
  });

  it('is delivered again when storage gives no answer', async () => {
    const world = new World();
    world.ledger.faults.plan('create', 'after');
    await expect(world.request(jobMessage())).rejects.toMatchObject({ reason: 'StorageUnavailable', retryable: true });
  });
});

describe('the sweeper', () => {
  it('resumes a run whose message is lost, and leaves others alone', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    world.loseMessages();
    expect(await world.sweep()).toMatchObject({ looked: 1, resumed: 0 });
    world.clock.time += 3 * MINUTE;
    expect(await world.sweep()).toMatchObject({ looked: 1, resumed: 1 });
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(await world.sweep()).toEqual({
      ...{ looked: 0, resumed: 0, deployments: 0, woken: 0, leaked: 0, removed: 0, unswept: 0 },
    });
  });

  it('removes a cluster that no live run has, and never one of a live run', async () => {
    const world = new World();
    world.flink.behaviours = [FOREVER, FOREVER];
    const closed = await world.request(jobMessage());
    await world.drainFor(MINUTE);
    await cancelRun(closed.runId, { by: 'a test', reason: 'JobCanceled' }, world.dispatch);
    const live = await world.request(jobMessage());
    await world.drainFor(MINUTE);
    expect(world.record(closed.runId).state).toBe('closed');
    const ref = await leak(world, closed.runId);
    expect(await world.sweep()).toMatchObject({ leaked: 0, removed: 0 });
    await world.drainFor(20 * MINUTE);
    expect(await world.sweep()).toMatchObject({ leaked: 1, removed: 1 });
    expect(world.clusters.standing(ref)).toBeUndefined();
    const clusterId = world.record(live.runId).attempts[0]?.clusterId;
    if (clusterId === undefined) throw new Error('no attempt');
    expect(world.clusters.standing({ namespace: 'flink', clusterId })).toBeDefined();
    expect(world.record(live.runId).state).toBe('running');
  });

  it('leaves the clusters of another deployment alone', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    await world.drain();
    const ref = await leak(world, runId, 'ledger-of-another-stage');
    world.clock.time += 60 * MINUTE;
    expect(await world.sweep()).toMatchObject({ leaked: 0, removed: 0 });
    expect(world.clusters.standing(ref)).toBeDefined();
  });

  it('sweeps the runs although a target does not answer', async () => {
    const world = new World();
    await world.request(jobMessage());
    world.loseMessages();
    world.clock.time += 3 * MINUTE;
    world.clusters.faults.push({
      method: 'list',
      when: 'before',
      error: new DispatchError('ClusterUnavailable', 'no answer'),
    });
    expect(await world.sweep()).toMatchObject({ resumed: 1, leaked: 0 });
  });

  /** The cluster of a closed run stands again, as a late function would leave it. */
  async function leak(world: World, runId: RunId, ledger = 'ledger'): Promise<ClusterRef> {
    const clusterId = world.record(runId).attempts[0]?.clusterId;
    if (clusterId === undefined) throw new Error('no attempt');
    const ref = { namespace: 'flink', clusterId };
    const owner = { kind: 'run', runId, attempt: 1, ledger } as const;
    await world.clusters.apply({ ...ref, deployment: {}, dependents: [], configuration: {} }, owner);
    return ref;
  }
});
