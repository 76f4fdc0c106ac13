import { describe, expect, it } from 'vitest';
import { findFailure } from '../../lib/diagnosis/findings.ts';
import { mostSpecific } from '../../lib/diagnosis/specificity.ts';
import { lostWorkerIn } from '../../lib/diagnosis/task-manager-loss.ts';
import type { PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { jobManagerPod, kubernetes, look, NOW, runIn, UNREACHABLE } from '../verdict/observations.ts';

const STARTING = runIn('starting', 60_000);
const LOW = 'The node was low on resource: memory. Container flink-main-container was using 900Mi.';

function evicted(number: number, change: Partial<PodFacts> = {}): PodFacts {
  const pod = { name: `c-${number}`, uid: `u${number}`, phase: 'Failed', ready: false, containers: [] };
  const why = { reason: 'Evicted', message: 'Pod was rejected: The node had condition: [DiskPressure].' };
  return jobManagerPod({ ...pod, ...why, createdAt: NOW - 60_000 + number, ...change });
}
const pending = jobManagerPod(
  { uid: 'n', phase: 'Pending', ready: false, createdAt: NOW },
  { state: 'waiting', ready: false },
);

describe('a pod that Kubernetes took away', () => {
  it.each([
    ['Evicted', LOW],
    ['Terminated', 'Pod was terminated in response to imminent node shutdown.'],
    ['NodeLost', 'Node n1 which was running pod c is unresponsive'],
    ['PreemptionByScheduler', 'kube-scheduler: preempting to accommodate a higher priority pod'],
    ['DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'],
    ['TerminationByKubelet', LOW],
  ])('%s is named with its message', (reason, message) => {
    const facts = kubernetes(STARTING, { pods: [evicted(1, { reason, message })] });
    expect(findFailure(facts, NOW)).toMatchObject({
      ...{ reason: 'PodEvicted', certainty: 'final', component: 'jobmanager' },
      message: expect.stringContaining(message) as string,
    });
  });

  it('again and again ends the attempt with that reason, and once or twice does not', () => {
    const verdicts = [1, 2, 3, 24].map((count) => {
      const pods = [...Array.from({ length: count }, (_, index) => evicted(index)), pending];
      return decide(look(STARTING, UNREACHABLE, { kubernetes: kubernetes(STARTING, { pods }) }), STARTING, NOW);
    });
    expect(verdicts.map(({ kind }) => kind)).toEqual(['wait', 'wait', 'failed', 'failed']);
    expect(verdicts[3]).toMatchObject({
      outcome: { reason: 'PodEvicted', message: expect.stringContaining('DiskPressure') as string },
    });
  });

  it('leaves a JobManager alone that runs in its place', () => {
    const pods = [evicted(1), evicted(2), evicted(3), jobManagerPod()];
    expect(findFailure(kubernetes(STARTING, { pods }), NOW)?.certainty).toBe('suspected');
  });

  it('of a TaskManager is told by the log, with the message of the kubelet', () => {
    const status = `pod status: Failed(reason=Evicted, message=${LOW})`;
    const log = `Worker x-taskmanager-1-1 is terminated. Diagnostics: Pod terminated, container termination statuses: [], ${status}`;
    expect(lostWorkerIn(log)).toMatchObject({ reason: 'PodEvicted', message: expect.stringContaining(LOW) as string });
  });
});

describe('the most specific finding wins', () => {
  const lost = (name: string, code: number, reason: string): string =>
    `Worker x-taskmanager-1-1 is terminated. Diagnostics: Pod terminated, container termination statuses: [${name}(exitCode=${code}, reason=${reason}, message=null)]\n`;
  const oom = lost('flink-main-container', 137, 'OOMKilled');

  it('in the stated order, whoever comes first', () => {
    const order = [
      'TaskManagerOutOfMemory',
      'ImagePullFailed',
      'PodEvicted',
      'SidecarFailed',
      'TaskManagerCrashed',
    ] as const;
    for (const [index, reason] of order.entries()) {
      for (const other of order.slice(index + 1)) {
        expect(mostSpecific({ reason }, { reason: other })).toEqual({ reason });
        expect(mostSpecific({ reason: other }, undefined, { reason })).toEqual({ reason });
      }
    }
  });

  it('among the TaskManagers that a log tells of', () => {
    expect(lostWorkerIn(oom + lost('flink-main-container', 143, 'Error'))?.reason).toBe('TaskManagerOutOfMemory');
    expect(lostWorkerIn(lost('log-shipper', 1, 'Error'))).toMatchObject({
      reason: 'SidecarFailed',
      message: expect.stringContaining('log-shipper') as string,
    });
    expect(lostWorkerIn(lost('log-shipper', 137, 'OOMKilled'))?.reason).toBe('SidecarFailed');
  });

  it('between pods that tell nothing and the log, at the deadline', () => {
    const late = runIn('starting', 3_600_000);
    const tm = jobManagerPod(
      { name: 'c-taskmanager-1-5', uid: 't', component: 'taskmanager', ready: false },
      { state: 'waiting' },
    );
    const facts = kubernetes(late, { pods: [jobManagerPod({ ready: false }), tm] });
    const seen = look(late, UNREACHABLE, { kubernetes: facts, jobManagerLog: { text: oom, stopped: false } });
    expect(findFailure(facts, NOW)?.reason).toBe('TaskManagerCrashed');
    expect(decide(seen, late, NOW)).toMatchObject({ outcome: { reason: 'TaskManagerOutOfMemory' } });
  });
});
