import { describe, expect, it } from 'vitest';
import type { PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { currentAttempt } from '../../lib/run/machine.ts';
import { logsDue, MAX_LOGS, noteLogs } from '../../lib/run/log-keeping.ts';
import { jobManagerPod, NOW, runIn } from '../verdict/observations.ts';

const attempt = currentAttempt(runIn('running', 0));
const SECOND = 1000;

function pod(name: string, changes: Partial<PodFacts> = {}, finishedAt?: number): PodFacts {
  const facts = { name, component: 'taskmanager' as const, createdAt: NOW, ...changes };
  return jobManagerPod(facts, finishedAt === undefined ? {} : { state: 'terminated', finishedAt });
}

/** Seconds after the pod's creation at which its log is kept, by a look every second. */
function times(it_: (second: number) => PodFacts, seconds: number): readonly number[] {
  let own = attempt;
  return Array.from({ length: seconds }, (_, second) => second).filter((second) => {
    const asked = logsDue(own, [it_(second)], NOW + second * SECOND).map(({ name }) => name);
    if (asked.length > 0) own = { ...own, ...noteLogs(own, { asked, had: [] }, NOW + second * SECOND) };
    return asked.length > 0;
  });
}

describe('logs are kept while a run goes on', () => {
  it('at twice the age each time, and at least every half hour', () => {
    expect(times(() => pod('t'), 2 * 3600)).toEqual([20, 40, 80, 160, 320, 640, 1280, 2560, 4360, 6160]);
  });

  it('once more when the pod has ended, and then no more', () => {
    const ended = (second: number): PodFacts =>
      second < 30 ? pod('t') : pod('t', { phase: 'Failed' }, NOW + 29.5 * SECOND);
    expect(times(ended, 3600)).toEqual([20, 30]);
  });

  it('again and again while the pod goes', () => {
    expect(times((second) => pod('t', { deleting: second >= 3 }), 6)).toEqual([3, 4, 5]);
  });

  it('of none that has not started', () => {
    const waits = jobManagerPod({ createdAt: NOW }, { state: 'waiting' });
    expect(logsDue(attempt, [waits], NOW + 60 * SECOND)).toEqual([]);
  });

  it('of a few at a time, and of a limited number of pods', () => {
    const pods = Array.from({ length: 30 }, (_, index) => pod(`t-${index}`));
    let own = attempt;
    for (let look = 0; look < 20; look += 1) {
      const asked = logsDue(own, pods, NOW + 20 * SECOND).map(({ name }) => name);
      expect(asked.length).toBeLessThanOrEqual(4);
      const had = asked.map((name) => `${name}.log`);
      own = { ...own, ...noteLogs(own, { asked, had }, NOW + 20 * SECOND) };
    }
    expect(own.artifacts).toHaveLength(MAX_LOGS);
  });
});
