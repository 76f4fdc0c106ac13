import { describe, expect, it } from 'vitest';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { clusterIdFor, type RunId } from '../../lib/core/ids.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { advance } from '../../lib/dispatch/advance.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { CRASHES } from '../prove/servers/flink.ts';
import { FOREVER, HEALTHY, jobMessage, QUEUE_ARN, World } from './world/simulated.ts';
import { ownerOf } from '../fakes/ids.ts';

const ANOTHER = ownerOf('f'.repeat(20));

const MINUTE = 60_000;

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
    expect(items).toEqual(expect.arrayContaining(['kubernetes.json', 'rest.json', `${clusterId ?? ''}-rs-1.log`]));
    expect([...world.evidence.keys()]).toEqual(completed?.data.evidence?.items.map(({ uri }) => uri).sort());
    expectClosedCleanly(world, runId);
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
    expect(world.records).toHaveLength(1);
    expect(world.clusters).toHaveLength(1);
    if (first !== undefined) expectClosedCleanly(world, first.runId);
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
    expectClosedCleanly(world, runId);
  });

  it('holds no function while it waits, when its look is late because others queue', async () => {
    const step = async (late: number): Promise<{ readonly waited: number; readonly state: string }> => {
      const world = new World();
      const { runId } = await world.request(jobMessage());
      world.loseMessages();
      world.clock.time += late;
      let waited = 0;
      const { clock } = world.dispatch;
      const sleep: typeof clock.sleep = (ms) => {
        waited += ms;
        return clock.sleep(ms);
      };
      const deps = { ...world.dispatch, clock: { ...clock, sleep } };
      await advance({ version: 1, runId, step: 1 }, deps, clock.now() + MINUTE);
      return { waited, state: world.record(runId).state };
    };
    expect(await step(10_000)).toEqual({ waited: 0, state: 'starting' });
    expect((await step(1_000)).waited).toBeGreaterThan(0);
  });

  it('is left alone by a message that is older than its record, and by one without a run', async () => {
    const world = new World({ inlineWait: 0 });
    const { runId } = await world.request(jobMessage());
    await world.drainFor(3000);
    const before = world.record(runId);
    const before_ = world.asked(/^(s3|sqs|k8s|flink|events) /);
    await advance({ version: 1, runId, step: 1 }, world.dispatch, world.clock.now() + MINUTE);
    expect(world.record(runId)).toEqual(before);
    expect(world.asked(/^(s3|sqs|k8s|flink|events) /) - before_).toBe(1);
    expect(world.asked(new RegExp(`^s3 get runs/${runId}/record`))).toBeGreaterThan(0);
    const unknown = '0123456789abcdef0123' as typeof runId;
    await advance({ version: 1, runId: unknown, step: 1 }, world.dispatch, world.clock.now() + MINUTE);
    expect(world.logged.at(-1)).toContain('without a run');
  });

  it('goes on from what somebody else wrote meanwhile', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    const path = `ledger/runs/${runId}/record.json`;
    let interfered = false;
    world.plans.when(new RegExp(` s3 put runs/${runId}/record`), () => {
      const stored = world.s3.objects.get(path);
      if (interfered || stored === undefined || world.record(runId).state !== 'launching') return undefined;
      interfered = true;
      world.s3.objects.set(path, { ...stored, eTag: '"of somebody else"' });
      return undefined;
    });
    await world.drain();
    expect(interfered).toBe(true);
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    expectClosedCleanly(world, runId);
  });

  it('that fails tells its root exception', async () => {
    const world = new World();
    const rootException = { message: 'java.io.FileNotFoundException: /in', stackTrace: 'java.io…\n\tat a.B.main' };
    world.programs = [{ ...HEALTHY, end: 'FAILED', result: { answers: {}, rootException } }];
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
    expectClosedCleanly(world, runId);
  });

  it('does not publish again while Kubernetes is away at its launch', async () => {
    const world = new World();
    world.plans.strike(/ k8s POST deployments/, 'refused', 3);
    const { runId } = await world.request(jobMessage());
    await world.drain();
    expect(world.bus.delivered.map(({ id }) => id)).toEqual([1, 2, 3].map((n) => `${runId}.${n}`));
  });

  it('publishes its start once, when Kubernetes does not answer the look after it', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    let away = 3;
    world.plans.when(/ k8s GET deployments\/word-count/, () => {
      if (world.record(runId).state !== 'running' || away === 0) return undefined;
      away -= 1;
      return 'refused';
    });
    await world.drain();
    expect(away).toBe(0);
    expect(world.bus.delivered.map(({ id }) => id)).toEqual([1, 2, 3].map((n) => `${runId}.${n}`));
  });

  it('ends although its events are late, and is not removed before its end is announced', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    world.plans.strike(/ events put /, 'refused', Infinity);
    await world.drainFor(5 * MINUTE);
    expect(world.record(runId)).toMatchObject({ state: 'ended', outcome: { state: 'succeeded' } });
    expect(world.standing(world.refOf(runId))).toBeDefined();
    world.plans.clear();
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    expectClosedCleanly(world, runId);
  });
});

describe('another attempt', () => {
  it('begins only when nothing is left of the first', async () => {
    const world = new World();
    world.programs = [CRASHES, HEALTHY];
    const left: number[] = [];
    world.plans.before(/ k8s POST deployments\/.*-2 /, () => left.push(world.objectsOf(world.refOf(runId)).length));
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
    expectClosedCleanly(world, runId);
  });

  it('is the last one when the attempts are used up', async () => {
    const world = new World();
    world.programs = [CRASHES];
    const { runId } = await world.request(jobMessage({ retry: { attempts: 3, backoff: '1s' } }));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'attempt-failed', 'attempt-failed', 'failed']);
    expect(world.created(runId)).toHaveLength(3);
    expectClosedCleanly(world, runId);
  });

  it('is not used up by a wait for quota', async () => {
    const world = new World();
    world.kubernetes.quota = { of: 'deployments', most: 0 };
    world.sim.after(MINUTE, () => (world.kubernetes.quota = undefined));
    const { runId } = await world.request(jobMessage());
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded' });
    expect(world.created(runId)).toHaveLength(1);
    expectClosedCleanly(world, runId);
  });
});

describe('a cluster of another owner', () => {
  it.each([1, 2])('that has the name is not touched, with %i attempts', async (attempts) => {
    const world = new World();
    const { runId } = await world.request(jobMessage({ retry: { attempts, backoff: '1s' } }));
    const ref = { namespace: 'flink', clusterId: clusterIdFor('word-count', runId, 1) };
    world.stand(ref, ANOTHER);
    await world.drain();
    expect(world.ownerOf(ref)).toEqual(ANOTHER);
    expect(world.states(runId)).toEqual(
      attempts === 1 ? ['accepted', 'failed'] : ['accepted', 'attempt-failed', 'started', 'succeeded'],
    );
    expect(world.record(runId).attempts[0]?.outcome?.reason).toBe('ClusterNameTaken');
  });

  it('that has the name of an object beside the Deployment leaves none of the run’s own', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage({ retry: { attempts: 2, backoff: '1s' } }));
    takeService(world, runId);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'attempt-failed', 'started', 'succeeded']);
    expect(world.record(runId).attempts[0]?.outcome?.reason).toBe('ClusterNameTaken');
    expect(world.created(runId)).toHaveLength(2);
    expectClosedCleanly(world, runId);
  });

  it('that is told after the program may have begun leaves none either', async () => {
    const world = new World();
    // It has started, and says nothing yet.
    world.programs = [{ ...HEALTHY, restAfter: 10 * MINUTE }];
    world.adapt = (deps) => ({
      ...deps,
      targets: async (name) => {
        const target = await deps.targets(name);
        const { cluster } = target;
        const apply: typeof cluster.apply = async (...it) => {
          await cluster.apply(...it);
          await deps.clock.sleep(1_300);
          throw new DispatchError('ClusterNameTaken', 'Service word-count-rest belongs to no cluster');
        };
        return { ...target, cluster: { ...cluster, apply } };
      },
    });
    const { runId } = await world.request(jobMessage({ retry: { attempts: 2, backoff: '1s' } }));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'unknown']);
    expect(world.created(runId)).toHaveLength(1);
    expectClosedCleanly(world, runId);
  });

  function takeService({ kubernetes }: World, runId: RunId): void {
    const name = `${clusterIdFor('word-count', runId, 1)}-rest`;
    const ours = kubernetes.find('Service', name);
    if (ours !== undefined) kubernetes.drop(ours);
    kubernetes.add({ kind: 'Service', metadata: { name, namespace: 'flink' } }, 'someone else');
  }
});

describe('a run that is canceled', () => {
  const request = { by: 'a test', reason: 'JobCanceled' } as const;

  it('cancels its job, and says so', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(10_000);
    expect(await cancelRun(runId, request, world.dispatch)).toBe(true);
    expect(await cancelRun(runId, request, world.dispatch)).toBe(true);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'canceled']);
    expect(new Set(world.canceled)).toEqual(new Set([world.record(runId).attempts[0]?.jobId]));
    expect(await cancelRun(runId, request, world.dispatch)).toBe(false);
    expectClosedCleanly(world, runId);
  });

  it('loses its cluster when the JobManager does not hear', async () => {
    const world = new World();
    world.programs = [{ ...FOREVER, deafToCancel: true }];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(10_000);
    await cancelRun(runId, request, world.dispatch);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'canceled']);
    expectClosedCleanly(world, runId);
  });

  it('makes no cluster when it was not launched yet', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    await cancelRun(runId, request, world.dispatch);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'canceled']);
    expect(world.created(runId)).toEqual([]);
    expectClosedCleanly(world, runId);
  });
});

describe('runs of one concurrency key', () => {
  const with_ = (policy: string): Record<string, unknown> => ({ concurrency: { key: 'k', policy } });

  async function two(policy: string): Promise<{ world: World; first: string; second: string }> {
    const world = new World();
    world.programs = [{ ...HEALTHY, endsAfter: 40_000 }];
    const first = await world.request(jobMessage(with_(policy)));
    await world.drainFor(5000);
    const second = await world.request(jobMessage(with_(policy)));
    await world.drain();
    expectClosedCleanly(world, first.runId);
    expectClosedCleanly(world, second.runId);
    return { world, first: first.runId, second: second.runId };
  }

  it('follow each other with queue', async () => {
    const { world, first, second } = await two('queue');
    const [a, b] = [first, second].map((id) => world.records.find(({ runId }) => runId === id));
    expect([a?.outcome?.state, b?.outcome?.state]).toEqual(['succeeded', 'succeeded']);
    expect(b?.attempts[0]?.launchedAt).toBeGreaterThanOrEqual(a?.attempts[0]?.removalVerifiedAt ?? Infinity);
  });

  it('refuse the newer one with forbid', async () => {
    const { world, first, second } = await two('forbid');
    const [a, b] = [first, second].map((id) => world.records.find(({ runId }) => runId === id));
    expect(a?.outcome?.state).toBe('succeeded');
    expect(b?.outcome).toMatchObject({ state: 'rejected', reason: 'ConcurrencyForbidden' });
    expect(b?.attempts).toEqual([]);
  });

  it('cancel the older one with replace, and say by whom', async () => {
    const { world, first, second } = await two('replace');
    const [a, b] = [first, second].map((id) => world.records.find(({ runId }) => runId === id));
    expect(a?.outcome).toMatchObject({ state: 'canceled', reason: 'ReplacedByNewerRun', flinkState: 'CANCELED' });
    expect(a?.outcome?.message).toContain(second);
    expect(b?.outcome?.state).toBe('succeeded');
    expect(b?.attempts[0]?.launchedAt).toBeGreaterThanOrEqual(a?.attempts[0]?.removalVerifiedAt ?? Infinity);
  });

  it('take the lock that a closed run has left behind', async () => {
    const world = new World();
    const first = await world.request(jobMessage(with_('queue')));
    await world.drain();
    const [lock = ''] = world.s3.keys('ledger/locks/');
    const left = JSON.parse(world.s3.text(lock) ?? '') as object;
    world.s3.store(lock, JSON.stringify({ ...left, holder: first.runId }));
    const second = await world.request(jobMessage(with_('forbid')));
    await world.drain();
    expect(world.states(second.runId)).toEqual(['accepted', 'started', 'succeeded']);
    expectClosedCleanly(world, second.runId);
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
    world.programs = [behaviour];
    const { runId } = await world.request(jobMessage({ afterEnd: { keepCluster, ttl: '1h' } }));
    await world.drainFor(50 * MINUTE);
    await world.sweep();
    expect(world.standing(world.refOf(runId)) !== undefined).toBe(kept);
    expect(world.record(runId).state).toBe(kept ? 'cleaning' : 'closed');
    await world.drainFor(15 * MINUTE);
    expectClosedCleanly(world, runId);
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
    expect(world.deadLetters).toMatchObject([{ source: QUEUE_ARN, reason: 'NotAllowed', field: 'image' }]);
    expect(JSON.parse(world.deadLetters[0]?.body ?? '')).toMatchObject({ image: 'evil:1' });
    expect(world.asked(/^k8s /)).toBe(0);
    expectClosedCleanly(world, runId);
  });

  it('gets its dead letter when its message comes again, even after its run was closed', async () => {
    const world = new World();
    const message = jobMessage({ image: 'evil:1' });
    world.plans.strike(/ sqs send dead letter/, 'refused');
    await expect(world.request(message)).rejects.toThrow();
    await world.drain();
    const again = await world.request(message);
    expect(world.record(again.runId).state).toBe('closed');
    expect(again.result).toBe('duplicate');
    expect(world.deadLetters).toMatchObject([{ reason: 'NotAllowed', field: 'image' }]);
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
    expectClosedCleanly(world, second.runId);
  });

  it('has the key of another payload, and its function died: the dead letter is written all the same', async () => {
    const job = { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' };
    const body = (...args: string[]): string =>
      JSON.stringify({ spec: { name: 'word-count', job: { ...job, args } }, idempotencyKey: 'key' });
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const world = new World();
      world.jobQueue.send(body(), 0);
      await world.drainFor(5_000);
      let asked = 0;
      world.plans.when(/^jobs .* · /, () => ((asked += 1) === at + 1 ? 'crash-before' : undefined));
      world.jobQueue.send(body('other'), 0);
      await world.drainFor(10 * MINUTE);
      expect(world.deadLetters[0]?.reason, `effect ${at}`).toBe('IdempotencyConflict');
    }
  });

  it('is delivered again when storage gives no answer', async () => {
    const world = new World();
    world.plans.strike(/ s3 put runs\/.*record/, 'lost');
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
    world.programs = [FOREVER, FOREVER];
    const closed = await world.request(jobMessage());
    await world.drainFor(MINUTE);
    await cancelRun(closed.runId, { by: 'a test', reason: 'JobCanceled' }, world.dispatch);
    const live = await world.request(jobMessage());
    await world.drainFor(MINUTE);
    expect(world.record(closed.runId).state).toBe('closed');
    const ref = leak(world, closed.runId);
    expect(await world.sweep()).toMatchObject({ leaked: 0, removed: 0 });
    await world.drainFor(20 * MINUTE);
    expect(await world.sweep()).toMatchObject({ leaked: 1 });
    await world.drainFor(10_000);
    expect(world.standing(ref)).toBeUndefined();
    expect(world.standing(world.refOf(live.runId))).toBeDefined();
    expect(world.record(live.runId).state).toBe('running');
  });

  it('leaves the clusters of another deployment alone', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage());
    await world.drain();
    const ref = leak(world, runId, 'ledger-of-another-stage');
    world.clock.time += 60 * MINUTE;
    expect(await world.sweep()).toMatchObject({ leaked: 0, removed: 0 });
    expect(world.standing(ref)).toBeDefined();
  });

  it('sweeps the runs although a target does not answer', async () => {
    const world = new World();
    await world.request(jobMessage());
    world.loseMessages();
    world.clock.time += 3 * MINUTE;
    world.plans.strike(/ k8s GET deployments\?/, 'refused');
    expect(await world.sweep()).toMatchObject({ resumed: 1, leaked: 0 });
  });

  /** The cluster of a closed run stands again, as a late function would leave it. */
  function leak(world: World, runId: RunId, ledger = 'ledger'): ClusterRef {
    const ref = world.refOf(runId);
    world.stand(ref, { kind: 'run', runId, attempt: 1, ledger });
    return ref;
  }
});
