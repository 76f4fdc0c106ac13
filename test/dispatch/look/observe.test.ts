import { beforeEach, describe, expect, it } from 'vitest';
import { observe } from '../../../lib/dispatch/look/observe.ts';
import type { PodFacts } from '../../../lib/kubernetes/cluster/port.ts';
import { jobManagerPod, kubernetes } from '../../verdict/observations.ts';
import { Looking } from './looking.ts';

let looking: Looking;
beforeEach(() => {
  looking = new Looking();
  looking.overviews = [[looking.job({ state: 'CREATED' })]];
});
const BYTES = 64 * 1024;
const STOPPED = { state: 'terminated', ready: false, exitCode: 1 } as const;
const pods = (...all: readonly PodFacts[]) => {
  looking.kubernetes = [kubernetes(looking.run, { pods: all })];
};
const logsRead = () => looking.asked.filter((what) => what.startsWith('log'));

describe('a look at a JobManager that took its time', () => {
  const replaced = () => kubernetes(looking.run, { pods: [jobManagerPod({ uid: 'another' })] });
  const HIGH = { 'high-availability.type': 'kubernetes' };
  it.each<[string, { takes: number; mode?: string; options?: Record<string, string> }, boolean]>([
    ['a second', { takes: 1_000 }, true],
    ['less than a second', { takes: 999 }, false],
    ['a second, in a session', { takes: 1_000, mode: 'session' }, false],
    ['a second, with high availability', { takes: 1_000, options: HIGH }, false],
  ])('%s', async (_, { takes, mode = 'application', options }, isSeen) => {
    looking.takes = takes;
    const { job } = looking.run;
    looking.run = { ...looking.run, job: { ...job, mode, options: { ...job.options, ...options } } as never };
    looking.kubernetes.push(replaced());
    const { kubernetes: seen } = await observe(looking.at);
    expect(seen.pods[0]?.uid).toBe(isSeen ? 'another' : 'jm');
    expect(looking.asked.filter((what) => what === 'kubernetes')).toHaveLength(isSeen ? 2 : 1);
  });

  it('keeps what it saw where the JobManager is the same', async () => {
    looking.takes = 1_000;
    looking.kubernetes.push(kubernetes(looking.run, { pods: [jobManagerPod({ phase: 'Later' })] }));
    expect((await observe(looking.at)).kubernetes.pods[0]?.phase).toBe('Running');
  });

  it('asks Kubernetes once where it gave no answer', async () => {
    looking.takes = 1_000;
    looking.refuses = true;
    expect((await observe(looking.at)).rest.state).toBe('unreachable');
    expect(looking.asked).toEqual(['kubernetes', 'application']);
  });
});

describe('the log of a JobManager', () => {
  it('is not read while there is no need', async () => {
    const seen = await observe(looking.at);
    expect(logsRead()).toEqual([]);
    expect(seen).not.toHaveProperty('jobManagerLog');
    expect(seen.at).toBe(looking.now);
  });

  it.each<[string, string | undefined, number]>([
    ['of the one before, goes with what Kubernetes says after it', undefined, 2],
    ['of a session, goes with what Kubernetes said', 'session', 1],
  ])('%s', async (_, mode, restarts) => {
    const restarted = (restartCount: number) =>
      kubernetes(looking.run, {
        pods: [jobManagerPod({}, { restartCount, last: { reason: 'Error', exitCode: 137 } })],
      });
    looking.kubernetes = [restarted(1), restarted(2)];
    looking.logs.set('c-x', 'now').set('c-x previous', 'before');
    if (mode !== undefined) looking.run = { ...looking.run, job: { ...looking.run.job, mode } as never };
    const seen = await observe(looking.at);
    expect(seen.jobManagerLog?.text).toBe('before');
    expect(seen.kubernetes.pods[0]?.containers[0]?.restartCount).toBe(restarts);
  });

  it('that has stopped is read with the one before, as it may run again', async () => {
    pods(jobManagerPod({ name: 'other', component: 'taskmanager' }), jobManagerPod({}, STOPPED));
    looking.logs.set('c-x', 'now').set('c-x previous', 'before');
    expect((await observe(looking.at)).jobManagerLog).toEqual({ text: 'before\nnow', stopped: true });
    expect(logsRead()).toEqual([`log c-x ${BYTES}`, `log c-x previous ${BYTES}`]);
  });

  it('that has stopped and has none before is read alone', async () => {
    pods(jobManagerPod({}, STOPPED));
    looking.logs.set('c-x', 'now');
    expect((await observe(looking.at)).jobManagerLog).toEqual({ text: 'now', stopped: true });
  });

  it('that runs again is that of the one before', async () => {
    pods(jobManagerPod({}, { restartCount: 1 }));
    looking.logs.set('c-x', 'now').set('c-x previous', 'before');
    expect((await observe(looking.at)).jobManagerLog).toEqual({ text: 'before', stopped: true });
    expect(logsRead()).toEqual([`log c-x previous ${BYTES}`]);
  });

  it('that runs again, where the one before is not kept, is its own', async () => {
    pods(jobManagerPod({}, { restartCount: 1 }));
    looking.logs.set('c-x', 'now');
    expect((await observe(looking.at)).jobManagerLog).toEqual({ text: 'now', stopped: false });
    expect(logsRead()).toEqual([`log c-x previous ${BYTES}`, `log c-x previous ${BYTES}`, `log c-x ${BYTES}`]);
  });

  it.each<[string, string | undefined]>([
    ['is empty', ''],
    ['gives no answer', undefined],
  ])('that %s is none', async (_, text) => {
    pods(jobManagerPod({}, STOPPED));
    if (text !== undefined) looking.logs.set('c-x', text).set('c-x previous', text);
    expect(await observe(looking.at)).not.toHaveProperty('jobManagerLog');
    expect(logsRead()).toHaveLength(text === undefined ? 4 : 2);
  });

  it('that answers and has had no job for a while is read', async () => {
    const started = { startedAt: looking.now - 10_000 };
    const worker = jobManagerPod({ name: 'tm', uid: 'tm', component: 'taskmanager' });
    const stopped = jobManagerPod({ name: 'other', component: 'taskmanager' }, STOPPED);
    pods(jobManagerPod({}, started), worker, stopped);
    looking.logs.set('c-x', 'now');
    expect(await observe(looking.at)).not.toHaveProperty('jobManagerLog');
    looking.overviews = [[]];
    looking.refuses = true;
    expect(await observe(looking.at)).not.toHaveProperty('jobManagerLog');
    looking.refuses = false;
    expect((await observe(looking.at)).jobManagerLog).toEqual({ text: 'now', stopped: false });
    expect(logsRead()).toEqual([`log c-x ${BYTES}`]);
  });

  it('whose main() has returned is read', async () => {
    looking.overviews = [[looking.job({ state: 'FINISHED', endTime: 1 })]];
    looking.logs.set('c-x', 'now');
    expect(await observe(looking.at)).not.toHaveProperty('jobManagerLog');
    looking.main = { state: 'returned' } as never;
    expect((await observe(looking.at)).jobManagerLog).toEqual({ text: 'now', stopped: false });
  });

  it.each([
    ['org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: no slots', true],
    ['another', false],
  ])('whose job failed with %s is read: %s', async (message, isRead) => {
    looking.overviews = [[looking.job({ state: 'FAILED', endTime: 1 })]];
    looking.applications = [{ id: 'a', name: 'main', status: 'FAILED' }];
    looking.logs.set('c-x', 'now');
    looking.result = () => ({ answers: {}, rootException: { message, stackTrace: '' } });
    expect((await observe(looking.at)).jobManagerLog !== undefined).toBe(isRead);
  });
});

describe('a right that a log names', () => {
  const text = (namespace: string) =>
    `pods is forbidden: User "system:serviceaccount:${namespace}:flink" cannot create resource "pods" in API group "" in the namespace "${namespace}"`;

  it.each([
    ['flink', ['right pods']],
    ['another', []],
  ])('is asked for in namespace %s: %j', async (namespace, expected) => {
    pods(jobManagerPod({}, STOPPED));
    looking.logs.set('c-x', text(namespace));
    looking.right = true;
    const seen = await observe(looking.at);
    expect(looking.asked.filter((what) => what.startsWith('right'))).toEqual(expected);
    expect(seen.hasRefusedRight).toBe(expected.length > 0 ? true : undefined);
  });
});

describe('the log of a JobManager that is leaving', () => {
  const leaving = jobManagerPod({ deleting: true });
  const others = [jobManagerPod({ uid: 'other', name: 'other' })];
  const HIGH = { 'high-availability.type': 'kubernetes' };

  it('is read, of the first one', async () => {
    pods(...others, leaving);
    looking.logs.set('c-x', 'bye');
    expect((await observe(looking.at)).leavingLog).toBe('bye');
    looking.note({ jobManager: undefined } as never);
    pods(leaving);
    expect((await observe(looking.at)).leavingLog).toBe('bye');
  });

  it.each<[string, PodFacts, Record<string, string>]>([
    ['stays', jobManagerPod(), {}],
    ['is another one', jobManagerPod({ deleting: true, uid: 'another' }), {}],
    ['began again', jobManagerPod({ deleting: true }, { restartCount: 2 }), {}],
    ['leaves its job to the next one', leaving, HIGH],
  ])('is not read where it %s', async (_, pod, options) => {
    looking.run = { ...looking.run, job: { ...looking.run.job, options: { ...looking.run.job.options, ...options } } };
    pods(pod);
    looking.logs.set('c-x', 'bye');
    expect(await observe(looking.at)).not.toHaveProperty('leavingLog');
  });
});
