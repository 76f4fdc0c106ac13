import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { findFailure } from '../../lib/diagnosis/findings.ts';
import { logWorthReading } from '../../lib/diagnosis/log-worth-reading.ts';
import { findInLog } from '../../lib/diagnosis/log-findings.ts';
import type { EventFacts, KubernetesFacts, PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { SCENARIOS } from '../cluster/support/scenarios.ts';
import { recorded } from '../kubernetes/recorded-api.ts';

const VERSIONS = readdirSync('test/fixtures/kubernetes');

describe.each(VERSIONS)('what a real Kubernetes said, Flink %s', (version) => {
  const scenarios = SCENARIOS.filter(({ name }) =>
    existsSync(`test/fixtures/kubernetes/${version}/${name}/facts.json`),
  );

  it('has a recording of every scenario', () => {
    expect(scenarios.map(({ name }) => name)).toEqual(SCENARIOS.map(({ name }) => name));
  });

  it.each(scenarios.filter(({ component }) => component !== 'log').map((s) => [s.name, s] as const))(
    '%s is named from the facts',
    async (name, { reason, component }) => {
      const { api, ref, at } = recorded(version, name);
      const finding = findFailure(await createClusters(api).observe(ref), at);
      expect(finding).toMatchObject({ reason, component });
      expect(finding?.message.length).toBeGreaterThan(20);
      expect(finding?.evidence.join()).toMatch(/pod |event |Deployment: /);
    },
  );

  it.each(scenarios.filter(({ component }) => component === 'log').map((s) => [s.name, s] as const))(
    '%s is named from the log',
    async (name, { reason }) => {
      const { api, ref, at, log } = recorded(version, name);
      const facts = await createClusters(api).observe(ref);
      expect(logWorthReading(facts, at)).toMatchObject({ container: 'flink-main-container' });
      const finding = findInLog(log);
      expect(finding).toMatchObject({ reason });
      expect(finding?.evidence.length).toBeGreaterThan(0);
    },
  );

  it('names nothing in a job that runs, and asks for no events', async () => {
    const { api, ref, at, requests } = recorded(version, 'running');
    expect(findFailure(await createClusters(api).observe(ref), at)).toBeUndefined();
    expect(requests).toHaveLength(2);
  });

  it('names a JobManager that was killed', async () => {
    const { api, ref, at } = recorded(version, 'jobmanager-killed');
    const facts = await createClusters(api).observe(ref);
    expect(findFailure(facts, at)).toMatchObject({
      reason: 'JobManagerCrashed',
      certainty: 'final',
      message: expect.stringContaining('exit code 137') as string,
    });
  });
});

const NOW = 1_000_000;

function pod(change: Partial<PodFacts> = {}): PodFacts {
  return {
    name: 'x-taskmanager-1-1',
    uid: 'u',
    component: 'jobmanager',
    phase: 'Running',
    createdAt: NOW - 60_000,
    deleting: false,
    ready: true,
    containers: [
      { name: 'flink-main-container', init: false, image: 'flink:2.3', ready: true, restartCount: 0, state: 'running' },
    ],
    ...change,
  };
}

function facts(...pods: readonly PodFacts[]): KubernetesFacts {
  const deployment = {
    state: 'present',
    uid: 'd',
    deleting: false,
    createdAt: NOW - 60_000,
    desiredReplicas: 1,
    conditions: [],
  } as const;
  return { deployment, pods, events: [] };
}

function container(change: Partial<PodFacts['containers'][number]>): PodFacts['containers'] {
  const base = { name: 'flink-main-container', init: false, image: 'flink:2.3', ready: false, restartCount: 0 };
  return [{ ...base, state: 'waiting', ...change }];
}

describe('slow and broken are told apart', () => {
  it('an image that is still being pulled is slow', () => {
    const pulling = pod({ phase: 'Pending', ready: false, containers: container({ reason: 'ContainerCreating' }) });
    expect(findFailure(facts(pulling), NOW)).toBeUndefined();
  });

  it('a registry that is down for a moment is suspected, for long is final', () => {
    const broken = (age: number) =>
      facts(
        pod({
          createdAt: NOW - age,
          ready: false,
          containers: container({ reason: 'ErrImagePull', message: 'dial tcp: i/o timeout' }),
        }),
      );
    expect(findFailure(broken(5_000), NOW)?.certainty).toBe('suspected');
    expect(findFailure(broken(30_000), NOW)?.certainty).toBe('final');
  });

  it.each(['manifest unknown', 'pull access denied', '401 Unauthorized', 'failed to resolve reference: not found'])(
    'an image that the registry refuses is broken at once: %s',
    (message) => {
      const refused = pod({ createdAt: NOW - 1_000, containers: container({ reason: 'ErrImagePull', message }) });
      expect(findFailure(facts(refused), NOW)).toMatchObject({ reason: 'ImagePullFailed', certainty: 'final' });
    },
  );

  it('its own ConfigMap, not there yet, is no finding', () => {
    const waits = pod({ phase: 'Pending', ready: false, containers: container({ reason: 'ContainerCreating' }) });
    const event = {
      object: `Pod/${waits.name}`,
      type: 'Warning',
      reason: 'FailedMount',
      message: 'MountVolume.SetUp failed for volume "flink-config-volume" : configmap "flink-config-x" not found',
      count: 2,
      lastSeen: NOW,
    };
    expect(findFailure({ ...facts(waits), events: [event] }, NOW)).toBeUndefined();
  });

  it.each([
    ['made two minutes after the pod, which looks again within two more', 125, 120, 'none'],
    ['made just after the pod', 33, 1, 'final'],
    ['made late, and long ago', 300, 120, 'final'],
  ])('its own ConfigMap, missing for the kubelet: %s', (_what, age, madeAfter, certainty) => {
    const createdAt = NOW - age * 1000;
    const waits = pod({
      createdAt,
      phase: 'Pending',
      ready: false,
      containers: container({ reason: 'ContainerCreating' }),
    });
    const message = 'configmap "flink-config-x" not found';
    const event = {
      ...{ object: `Pod/${waits.name}`, type: 'Warning', reason: 'FailedMount' },
      message,
      count: 6,
      lastSeen: NOW,
    };
    const found = findFailure({ ...facts(waits), events: [event] }, NOW, createdAt + madeAfter * 1000);
    expect(found?.certainty ?? 'none').toBe(certainty);
  });

  it.each([
    [125, 120, 'suspected'],
    [31, 0, 'final'],
  ])('its permit to start, missing for a pod of %s s and made after %s s, is %s', (age, madeAfter, certainty) => {
    const createdAt = NOW - age * 1000;
    const waiting = { reason: 'CreateContainerConfigError', message: 'configmap "start-permit-x" not found' };
    const waits = pod({ createdAt, containers: container(waiting) });
    expect(findFailure(facts(waits), NOW, createdAt + madeAfter * 1000)?.certainty).toBe(certainty);
  });

  const SCHEDULER = '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available';
  const NEVER = `${SCHEDULER}: 2 Preemption is not helpful for scheduling.`;
  const said = (reason: string, message = ''): EventFacts => ({
    ...{ object: 'Pod/x-taskmanager-1-1', type: 'Normal', reason, message, count: 1, lastSeen: NOW },
  });
  it.each([
    ['no node will ever do, and nobody adds one', 60, NEVER, [], 'final'],
    ['nobody has said yet that a node is added', 59, NEVER, [], 'suspected'],
    ['a node is being added', 600, NEVER, [said('TriggeredScaleUp')], 'suspected'],
    ['a node is being added, by Karpenter', 600, NEVER, [said('Nominated')], 'suspected'],
    ['no node could be added after all', 30, NEVER, [said('TriggeredScaleUp'), said('NotTriggerScaleUp')], 'final'],
    ['Karpenter has none that would do', 30, NEVER, [said('FailedScheduling', 'Failed to schedule pod, …')], 'final'],
    ["the scheduler's own word is no autoscaler's", 30, NEVER, [said('FailedScheduling', NEVER)], 'suspected'],
    ['room may become free', 600, `${SCHEDULER}: 2 No preemption victims found for incoming pods.`, [], 'suspected'],
    ['a node restarts', 600, `${NEVER} untolerated taint {node.kubernetes.io/not-ready: }`, [], 'suspected'],
  ] as const)('a pod has no place, and %s', (_what, seconds, unschedulable, events, certainty) => {
    const createdAt = NOW - seconds * 1000;
    const it_ = pod({
      component: 'taskmanager',
      phase: 'Pending',
      ready: false,
      containers: [],
      createdAt,
      unschedulable,
    });
    expect(findFailure({ ...facts(pod({ name: 'jm' }), it_), events }, NOW)).toMatchObject({
      ...{ reason: 'PodUnschedulable', component: 'taskmanager', certainty },
    });
  });
});

describe('pods that come and go', () => {
  it('a JobManager that was evicted is final while there is no other, and suspected when there is', () => {
    const evicted = pod({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: memory.',
      ready: false,
      containers: [],
      createdAt: NOW - 90_000,
    });
    expect(findFailure(facts(evicted), NOW)).toMatchObject({ reason: 'PodEvicted', certainty: 'final' });
    expect(findFailure(facts(evicted, pod()), NOW)).toMatchObject({
      reason: 'PodEvicted',
      certainty: 'suspected',
    });
  });

  it('a pod is behind scheduling gates, for as long as it takes', () => {
    const gates = 'kueue.x-k8s.io/admission';
    const gated = pod({ phase: 'Pending', ready: false, containers: [], createdAt: NOW - 900_000, gates });
    expect(findFailure(facts(gated), NOW)).toMatchObject({
      ...{ reason: 'PodGated', certainty: 'suspected', evidence: [`pod ${gated.name}: schedulingGates ${gates}`] },
    });
  });

  it('TaskManagers that are killed again and again are suspected by their numbers', () => {
    const tm = pod({
      component: 'taskmanager',
      name: 'x-taskmanager-1-5',
      phase: 'Pending',
      ready: false,
      containers: [],
    });
    expect(findFailure(facts(pod(), tm), NOW)).toMatchObject({ reason: 'TaskManagerCrashed', certainty: 'suspected' });
    expect(findFailure(facts(pod(), { ...tm, ready: true }), NOW)).toBeUndefined();
  });

  it('a container that stops because its pod is deleted is no finding', () => {
    const going = pod({
      deleting: true,
      containers: container({ state: 'terminated', reason: 'Error', exitCode: 143 }),
    });
    expect(findFailure(facts(going), NOW)).toBeUndefined();
  });

  it('a Deployment that is gone, or going, is the finding', () => {
    const gone: KubernetesFacts = { deployment: { state: 'absent' }, pods: [pod()], events: [] };
    expect(findFailure(gone, NOW)).toMatchObject({ reason: 'ClusterDeleted', certainty: 'final' });
  });

  it('a sidecar or init container that fails is named by its container', () => {
    const init = pod({
      ready: false,
      containers: container({ name: 'fetch-jar', init: true, state: 'terminated', reason: 'Error', exitCode: 22 }),
    });
    expect(findFailure(facts(init), NOW)).toMatchObject({
      certainty: 'suspected',
      message: expect.stringContaining('init container fetch-jar') as string,
    });
  });
});
