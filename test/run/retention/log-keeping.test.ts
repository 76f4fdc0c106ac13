import { describe, expect, it } from 'vitest';
import type { PodFacts } from '../../../lib/kubernetes/cluster/port.ts';
import { currentAttempt } from '../../../lib/run/machine.ts';
import { logName, logsDue, MAX_LOGS, noteLogs } from '../../../lib/run/retention/log-keeping.ts';
import { jobManagerPod, NOW, runIn } from '../../verdict/observations.ts';

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

  it('of a pod that goes, only once its last log is a second old', () => {
    const going = pod('t', { deleting: true });
    const kept = (ago: number) => ({ ...attempt, logsKept: { t: NOW + 60 * SECOND - ago } });
    expect(logsDue(kept(999), [going], NOW + 60 * SECOND)).toEqual([]);
    expect(logsDue(kept(1_000), [going], NOW + 60 * SECOND)).toEqual([going]);
  });

  it.each(['Failed', 'Succeeded'])('at once of a pod that has %s before its first log was kept', (phase) => {
    expect(logsDue(attempt, [pod('t', { phase }, NOW)], NOW)).toHaveLength(1);
    expect(logsDue(attempt, [pod('t', {}, NOW)], NOW)).toEqual([]);
  });

  it('once more of a container that ended in the very moment in which its log was kept', () => {
    const ended = pod('t', { phase: 'Failed' }, NOW + 5);
    expect(logsDue({ ...attempt, logsKept: { t: NOW + 5 } }, [ended], NOW + 6)).toEqual([ended]);
    expect(logsDue({ ...attempt, logsKept: { t: NOW + 6 } }, [ended], NOW + 3600 * SECOND)).toEqual([]);
  });

  it('of those that are known, also when no further pod has room', () => {
    const known = pod('known');
    const logsKept = Object.fromEntries(Array.from({ length: MAX_LOGS }, (_, i) => [i === 0 ? 'known' : `p${i}`, NOW]));
    expect(logsDue({ ...attempt, logsKept }, [pod('new'), known], NOW + 20 * SECOND)).toEqual([known]);
  });

  it('of those first whose log nobody has yet', () => {
    const [old, fresh] = [pod('old'), pod('fresh')];
    expect(logsDue({ ...attempt, logsKept: { old: NOW } }, [old, fresh], NOW + 20 * SECOND)).toEqual([fresh, old]);
  });

  it('each in an artifact of the name of its pod, named once', () => {
    const first = noteLogs(attempt, { asked: ['t'], had: [logName('t')] }, NOW);
    const again = noteLogs({ ...attempt, ...first }, { asked: ['t', 'u'], had: [logName('t')] }, NOW + 1);
    expect(again).toEqual({ logsKept: { t: NOW + 1, u: NOW + 1 }, artifacts: ['t.log'] });
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
