import { describe, expect, it } from 'vitest';
import type { PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { gatedFor, waitOf, noteGate } from '../../lib/run/gate.ts';
import { currentAttempt } from '../../lib/run/machine.ts';
import { startingFor } from '../../lib/run/prepared.ts';
import type { ActiveRun } from '../../lib/run/record.ts';
import { launchedSample } from '../fixtures/records/load.ts';
import { omit } from '../../lib/core/omit.ts';

const { attempts, ...sample } = omit(launchedSample(), 'outcome');
const { launchedAt } = attempts[0];
const RUN: ActiveRun = { ...sample, state: 'starting', attempts: [omit(attempts[0], 'outcome', 'runningAt')] };
const MESSAGE = 'pod jm waits for its scheduling gates to open: kueue.x-k8s.io/admission';

function pod(changes: Partial<PodFacts> = {}): PodFacts {
  const facts = {
    name: 'jm',
    uid: 'u',
    component: 'jobmanager' as const,
    phase: 'Pending',
    createdAt: launchedAt + 100,
  };
  return { ...facts, deleting: false, ready: false, containers: [], gates: 'kueue.x-k8s.io/admission', ...changes };
}
const open = omit(pod(), 'gates');
const gate = (run: ActiveRun) => currentAttempt(run).gate;
const at = (seconds: number): number => launchedAt + seconds * 1000;

describe('a scheduling gate', () => {
  it('is noted from when its pod was made, and once', () => {
    const shut = noteGate(RUN, [open, pod()], at(3));
    expect(gate(shut)).toEqual({ since: launchedAt + 100, before: 0, message: MESSAGE });
    expect(noteGate(shut, [pod()], at(900))).toBe(shut);
    expect(waitOf(shut)).toEqual({ reason: 'PodGated', since: launchedAt + 100, message: MESSAGE });
  });

  it('takes nothing of the time to start, while it is shut and when it is open', () => {
    const shut = noteGate(RUN, [pod()], at(3));
    expect(startingFor(shut, currentAttempt(shut), at(900))).toBe(100);
    const opened = noteGate(shut, [open], at(900));
    expect(gate(opened)).toEqual({ before: 899_900, message: MESSAGE });
    expect(noteGate(opened, [open], at(901))).toBe(opened);
    expect(waitOf(opened)).toBeUndefined();
    expect(startingFor(opened, currentAttempt(opened), at(1_000))).toBe(100_100);
  });

  it('adds up with the next one', () => {
    const opened = noteGate(noteGate(RUN, [pod()], at(3)), [open], at(10));
    const again = noteGate(opened, [pod({ createdAt: at(20) })], at(21));
    expect(gatedFor(currentAttempt(again), at(30))).toBe(9_900 + 10_000);
  });

  it.each([
    ['is none of a session’s pods before the attempt', [pod({ createdAt: launchedAt - 5_000 })], launchedAt],
    ['is noted no later than now, whatever clocks say', [pod({ createdAt: at(60) })], at(3)],
  ])('%s', (_, pods, since) => {
    expect(gate(noteGate(RUN, pods, at(3)))?.since).toBe(since);
  });

  it('is none where no pod has one, where the pod goes, and of a run whose job was seen to run', () => {
    expect(noteGate(RUN, [open], at(3))).toBe(RUN);
    expect(noteGate(RUN, [pod({ deleting: true })], at(3))).toBe(RUN);
    const running = { ...RUN, state: 'running' as const };
    expect(noteGate(running, [pod()], at(3))).toBe(running);
  });
});
