import { describe, expect, it } from 'vitest';
import { jobIsOver, keepUntil, removesHighAvailability } from '../../lib/run/retention/cluster-retention.ts';
import { removeAndVerify } from '../../lib/kubernetes/cluster/remove-and-verify.ts';
import { currentAttempt, updateAttempt, without } from '../../lib/run/machine.ts';
import type { ActiveRun, EndedRun, Outcome } from '../../lib/run/record.ts';
import { createFakeClusters, type FakeClusters } from '../fakes/clusters.ts';
import { smallCluster } from '../fakes/flink-cluster.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from '../verdict/observations.ts';
import type { AttemptContext } from '../../lib/dispatch/attempt-context.ts';
import { noteSecondStart } from '../../lib/dispatch/state/state-at-end.ts';
import type { RestFacts } from '../../lib/verdict/observation.ts';
import { ownerOf } from '../fakes/ids.ts';

function ended(state: Outcome['state'], keepCluster: 'never' | 'on-failure' | 'always', flinkState?: string): EndedRun {
  const record = runIn('ended', 0);
  const outcome: Outcome = { state, reason: 'JobFailed', message: 'why', at: NOW, evidence: [] };
  return {
    ...record,
    job: { ...record.job, afterEnd: { keepCluster, ttl: 1000 } },
    outcome: flinkState === undefined ? outcome : { ...outcome, flinkState },
  };
}

describe('a cluster is kept', () => {
  it.each([
    ['succeeded', 'never', false],
    ['failed', 'never', false],
    ['succeeded', 'on-failure', false],
    ['canceled', 'on-failure', false],
    ['failed', 'on-failure', true],
    ['unknown', 'on-failure', true],
    ['succeeded', 'always', true],
    ['failed', 'always', true],
  ] as const)('after %s with %s: %s', (state, keepCluster, kept) => {
    expect(keepUntil(ended(state, keepCluster), NOW)).toBe(kept ? NOW + 1000 : undefined);
  });

  it('only when it would not run the program again', () => {
    const crashed = (flinkState?: string): EndedRun => {
      const record = ended('failed', 'always', flinkState);
      return { ...record, outcome: { ...record.outcome, reason: 'JobManagerCrashed' } };
    };
    expect(keepUntil(crashed(), NOW)).toBeUndefined();
    expect(keepUntil(crashed('FAILED'), NOW)).toBe(NOW + 1000);
  });

  it('only when no other JobManager goes on with the program', () => {
    const record = ended('failed', 'always', 'FAILED');
    const attempts = record.attempts.map((attempt) => ({ ...attempt, goesOn: true as const }));
    expect(keepUntil({ ...record, attempts }, NOW)).toBeUndefined();
  });

  it('only when there was one', () => {
    expect(keepUntil({ ...ended('failed', 'always'), attempts: [] }, NOW)).toBeUndefined();
    expect(keepUntil({ ...without(ended('rejected', 'always'), 'job'), attempts: [] }, NOW)).toBeUndefined();
  });
});

describe('a second JobManager', () => {
  const HA = { 'high-availability.type': 'kubernetes' };
  const jobOfMain = jobOf(runIn('running', 0), { state: 'FINISHED' });
  const at = (options: Record<string, string>, first: number): AttemptContext<ActiveRun> => {
    const record = runIn('running', 0);
    const run = updateAttempt(
      { ...record, job: { ...record.job, options } },
      { jobManager: { podUid: jobManagerPod().uid, restartCount: first } },
    );
    return { run, attempt: currentAttempt(run) } as AttemptContext<ActiveRun>;
  };
  const notedOf = (options: Record<string, string>, first: number, rest: RestFacts): readonly unknown[] => {
    const context = at(options, first);
    const pods = [jobManagerPod({}, { restartCount: 1 })];
    const seen = look(context.run, rest, { kubernetes: kubernetes(context.run, { pods }) });
    const { beganAgain, goesOn } = currentAttempt(noteSecondStart(context, seen));
    return [beganAgain, goesOn];
  };

  it.each<readonly [string, Record<string, string>, number, RestFacts, readonly unknown[]]>([
    ['is the first one', {}, 1, UNREACHABLE, [undefined, undefined]],
    ['runs the program anew', {}, 0, UNREACHABLE, [true, true]],
    ['may go on with a program that had failed', HA, 0, UNREACHABLE, [undefined, true]],
    [
      'says that a job of it ended, and of the program nothing',
      HA,
      0,
      answered([jobOfMain], { applications: [] }),
      [undefined, true],
    ],
    [
      'says that the application has ended',
      HA,
      0,
      answered([jobOfMain], { applications: [{ id: 'a', name: 'a', status: 'FINISHED' }] }),
      [undefined, undefined],
    ],
  ])('%s', (_, options, first, rest, expected) => {
    expect(notedOf(options, first, rest)).toEqual(expected);
  });
});

it('a job is over when Flink said so', () => {
  const of = (flinkState?: string): boolean => jobIsOver(ended('failed', 'always', flinkState));
  expect(['FINISHED', 'FAILED', 'CANCELED'].map(of)).toEqual([true, true, true]);
  expect(['SUSPENDED', 'RUNNING', 'toString', undefined].map(of)).toEqual([false, false, false, false]);
});

it('high-availability metadata goes, unless the end is not known', () => {
  expect(removesHighAvailability(ended('failed', 'never'))).toBe(true);
  expect(removesHighAvailability(ended('unknown', 'never'))).toBe(false);
});

describe('removal', () => {
  const cluster = smallCluster({ clusterId: 'c', namespace: 'flink', image: 'flink:2.3.0' });
  const everything = { highAvailability: true };

  async function standing(): Promise<FakeClusters> {
    const clusters = createFakeClusters({ now: () => NOW });
    await clusters.apply(cluster, ownerOf('r'));
    clusters.addHighAvailability(cluster, 'c-cluster-config-map');
    return clusters;
  }

  it('names what is left until a look finds nothing', async () => {
    const clusters = await standing();
    clusters.looksToGo = 3;
    expect(await removeAndVerify(clusters, cluster, everything)).toContain('Deployment/c');
    expect(await removeAndVerify(clusters, cluster, everything)).not.toEqual([]);
    expect(await removeAndVerify(clusters, cluster, everything)).toEqual([]);
  });

  it('of what is not there removes nothing', async () => {
    const clusters = createFakeClusters({ now: () => NOW });
    expect(await removeAndVerify(clusters, cluster, everything)).toEqual([]);
    expect(clusters.calls).toEqual(['remains']);
  });

  it('leaves high-availability metadata where it is told to', async () => {
    const clusters = await standing();
    expect(await removeAndVerify(clusters, cluster, { highAvailability: false })).toEqual([]);
    expect(await clusters.remains(cluster, everything)).toEqual(['ConfigMap/c-cluster-config-map']);
  });
});
