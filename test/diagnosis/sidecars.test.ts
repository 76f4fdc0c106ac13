import { describe, expect, it } from 'vitest';
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { findFailure } from '../../lib/diagnosis/findings.ts';
import { podFacts } from '../../lib/kubernetes/cluster/facts.ts';
import { roleOf } from '../../lib/kubernetes/cluster/containers.ts';
import type { ContainerFacts, KubernetesFacts } from '../../lib/kubernetes/cluster/port.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { jobManagerRuns } from '../../lib/verdict/verdict.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from '../verdict/observations.ts';

const FAILED = { state: 'terminated', reason: 'Error', exitCode: 1 } as const;
const KILLED = { restartCount: 3, state: 'waiting', reason: 'CrashLoopBackOff' } as const;

function beside(change: Partial<ContainerFacts>): ContainerFacts {
  const base = { name: 'log-shipper', init: false, image: 'fluent-bit', ready: true, restartCount: 0 } as const;
  return { ...base, state: 'running', ...change };
}

function withSidecar(change: Partial<ContainerFacts>, main: Partial<ContainerFacts> = {}): KubernetesFacts {
  const pod = jobManagerPod({}, main);
  return kubernetes(runIn('running', 5000), { pods: [{ ...pod, containers: [beside(change), ...pod.containers] }] });
}

const OTHERS: readonly (readonly [string, Partial<ContainerFacts>])[] = [
  ['completed', { ready: false, state: 'terminated', reason: 'Completed', exitCode: 0 }],
  ['failed', { ready: false, ...FAILED }],
  ['restarted once', { restartCount: 1, last: { reason: 'Error', exitCode: 1 } }],
  ['was killed and restarted', { restartCount: 1, last: { reason: 'OOMKilled', exitCode: 137 } }],
  ['fails again and again', { ready: false, ...KILLED, last: { reason: 'OOMKilled', exitCode: 137 } }],
  ['has no image', { ready: false, state: 'waiting', reason: 'ErrImagePull', message: 'manifest unknown' }],
  ['cannot start', { ready: false, state: 'waiting', reason: 'CreateContainerConfigError', message: 'no secret' }],
  ['is a native one and restarted', { init: true, restartCount: 2, last: { reason: 'Error', exitCode: 137 } }],
  [
    'is a native one and fails',
    { init: true, restartPolicy: 'Always', ready: false, ...KILLED, last: { reason: 'Error', exitCode: 1 } },
  ],
  [
    'is a native one and completed',
    { init: true, restartPolicy: 'Always', ready: false, state: 'terminated', reason: 'Completed', exitCode: 0 },
  ],
  [
    'was an init container that was tried again',
    {
      init: true,
      restartCount: 3,
      ...FAILED,
      exitCode: 0,
      reason: 'Completed',
      last: { reason: 'Error', exitCode: 1 },
    },
  ],
];

describe('a container beside the JobManager', () => {
  it.each(OTHERS)('that %s leaves a job that runs alone', (_what, change) => {
    for (const record of [runIn('running', 5000), runIn('starting', 5000)]) {
      const facts = withSidecar(change);
      const seen = look(record, answered([jobOf(record, { tasks: { RUNNING: 2 } })]), { kubernetes: facts });
      expect(decide(seen, record, NOW)).toMatchObject({ kind: 'wait', unreachable: false });
      const finding = findFailure(facts, NOW + 600_000);
      expect(finding?.certainty).not.toBe('final');
      if (finding !== undefined) expect(finding.message).toContain('log-shipper');
    }
  });

  it.each([
    [
      'fails',
      { ready: false, ...FAILED },
      'SidecarFailed',
      "The JobManager's sidecar log-shipper stopped: Error, exit code 1",
    ],
    [
      'is killed',
      { ready: false, ...KILLED, last: { reason: 'OOMKilled', exitCode: 137 } },
      'SidecarFailed',
      'sidecar log-shipper was killed',
    ],
    [
      'has no image',
      { state: 'waiting', reason: 'ErrImagePull', message: 'denied' },
      'ImagePullFailed',
      "The image fluent-bit of the JobManager's sidecar log-shipper",
    ],
    [
      'cannot start',
      { state: 'waiting', reason: 'CreateContainerError', message: 'no' },
      'ContainerConfigError',
      "The JobManager's sidecar log-shipper cannot be started",
    ],
  ] as const)('that %s is named', (_what, change, reason, message) => {
    const expected = { reason, certainty: 'suspected', message: expect.stringContaining(message) as string };
    expect(findFailure(withSidecar(change), NOW)).toMatchObject(expected);
  });

  it('that runs is no JobManager to ask', () => {
    expect(jobManagerRuns(withSidecar({}, { ...FAILED }))).toBe(false);
    expect(jobManagerRuns(withSidecar({ ...FAILED }))).toBe(true);
  });

  it('does not hide that the JobManager stopped', () => {
    const facts = withSidecar({ ready: false, ...FAILED }, { ...FAILED, exitCode: 3 });
    expect(findFailure(facts, NOW)).toMatchObject({ reason: 'JobManagerCrashed', certainty: 'final' });
    const record = runIn('running', 5000);
    expect(decide(look(record, UNREACHABLE, { kubernetes: facts }), record, NOW).kind).not.toBe('wait');
  });
});

describe('what comes before the JobManager', () => {
  const waiting = { state: 'waiting', reason: 'PodInitializing', ready: false } as const;

  it('is tried again by Kubernetes until it succeeds', () => {
    const failing = withSidecar(
      { name: 'wait-db', init: true, ready: false, ...KILLED, last: { reason: 'Error', exitCode: 1 } },
      waiting,
    );
    expect(findFailure(failing, NOW + 300_000)).toMatchObject({
      certainty: 'suspected',
      message: "The JobManager's init container wait-db stopped: Error, exit code 1",
    });
  });

  it('and has no image keeps it from starting, also where it is a native sidecar', () => {
    const change = {
      init: true,
      ready: false,
      state: 'waiting',
      reason: 'ErrImagePull',
      message: 'manifest unknown',
    } as const;
    for (const policy of [{}, { restartPolicy: 'Always' as const }]) {
      expect(findFailure(withSidecar({ ...change, ...policy }, waiting), NOW)).toMatchObject({
        ...{ reason: 'ImagePullFailed', certainty: 'final' },
        message: expect.stringContaining('log-shipper') as string,
      });
    }
  });
});

it("tells sidecars from init containers by Kubernetes' own word", () => {
  const status = (name: string): V1ContainerStatus => ({
    name,
    image: 'x',
    imageID: '',
    ready: true,
    restartCount: 0,
    state: { running: {} },
  });
  const pod = {
    metadata: { name: 'a', labels: { component: 'jobmanager' } },
    spec: {
      initContainers: [{ name: 'proxy', restartPolicy: 'Always' }, { name: 'wait' }],
      containers: [{ name: 'other' }, { name: 'flink-main-container' }],
    },
    status: {
      initContainerStatuses: [status('proxy'), { ...status('wait'), state: { terminated: { exitCode: 0 } } }],
      containerStatuses: [status('other'), status('flink-main-container')],
    },
  } as V1Pod;
  const facts = podFacts(pod);
  expect(facts?.containers.map((container) => facts && roleOf(facts, container))).toEqual([
    'sidecar',
    'init',
    'sidecar',
    'main',
  ]);
});
