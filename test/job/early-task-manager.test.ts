import { describe, expect, it } from 'vitest';
import { clusterRequest } from '../../lib/job/cluster-request.ts';
import { earlyTaskManager } from '../../lib/job/early-task-manager.ts';
import type { FlinkOptions, ResolvedJob } from '../../lib/job/job.ts';
import { launchedSample } from '../fixtures/records/load.ts';

const LEAST = 'slotmanager.number-of-slots.min';

function jobWith(options: FlinkOptions, changes: Partial<ResolvedJob> = {}): ResolvedJob {
  const afterEnd = { keepCluster: 'never', ttl: 1 };
  return { ...launchedSample().job, mode: 'application', options, afterEnd, ...changes } as ResolvedJob;
}

describe('the first TaskManager', () => {
  it('is asked for before main() asks, and no other one is', () => {
    const job = jobWith({ 'parallelism.default': '8', 'slotmanager.number-of-slots.max': '64' });
    expect(earlyTaskManager(job)).toEqual({ [LEAST]: '1' });
    const { clusterId, jobId } = launchedSample().attempts[0];
    const marks = { labels: {}, annotations: {} };
    const { options } = clusterRequest(job, { clusterId, jobId, jarUri: 'local:///a.jar', marks });
    expect(options[LEAST]).toBe('1');
  });

  it.each<[string, FlinkOptions, Partial<ResolvedJob>]>([
    ['of a cluster that may outlive its job', {}, { afterEnd: { keepCluster: 'on-failure', ttl: 1 } }],
    ['of a cluster that outlives its job', {}, { afterEnd: { keepCluster: 'always', ttl: 1 } }],
    ['in standalone mode', {}, { mode: 'standalone' }],
    ['with high availability', { 'high-availability.type': 'kubernetes' }, {}],
    [
      'for the adaptive scheduler, which would begin on it alone',
      { 'jobmanager.scheduler': 'Adaptive', 'parallelism.default': '3', 'taskmanager.numberOfTaskSlots': '2' },
      {},
    ],
    ['where somebody says how many', { [LEAST]: '0' }, {}],
    ['where somebody says how much', { 'slotmanager.min-total-resource.cpu': '2' }, {}],
    ['beside a limit that it could contradict', { 'slotmanager.max-total-resource.memory': '1g' }, {}],
  ])('is not asked for %s', (_, options, changes) => {
    expect(earlyTaskManager(jobWith(options, changes))).toEqual({});
  });

  it('is asked for with the adaptive scheduler where it is all that the job takes', () => {
    const options = { 'jobmanager.scheduler': 'adaptive', 'parallelism.default': '2' };
    const wide = { ...options, 'taskmanager.numberOfTaskSlots': '2' };
    expect([earlyTaskManager(jobWith(options)), earlyTaskManager(jobWith(wide))]).toEqual([{}, { [LEAST]: '1' }]);
  });
});
