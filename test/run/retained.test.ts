import { describe, expect, it } from 'vitest';
import { retained } from '../../lib/run/retained.ts';
import { outcomeOf } from '../../lib/verdict/decide.ts';
import type { Outcome, RunRecord } from '../../lib/run/record.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const HA = { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://state/ha/' };

function ended(options: Record<string, string>, state: Outcome['state'], flinkState?: string): RunRecord {
  const record = runIn('ended', 0);
  const plain = outcomeOf(state, 'JobFinished', 'why', NOW, []);
  const outcome = flinkState === undefined ? plain : { ...plain, flinkState };
  const attempts = record.attempts.map((attempt) => ({ ...attempt, runningAt: NOW, outcome }));
  return { ...record, job: { ...record.job, options }, attempts, outcome };
}

describe('what no clean-up removes', () => {
  const { clusterId = '', jobId = '' } = runIn('ended', 0).attempts[0] ?? {};

  it('is nothing without storage', () => {
    expect(retained(ended({}, 'succeeded', 'FINISHED'))).toEqual([]);
  });

  it('is what high availability has stored', () => {
    expect(retained(ended(HA, 'succeeded', 'FINISHED'))).toEqual([
      `s3://state/ha/${clusterId}`,
      `s3://state/ha/job-result-store/${clusterId}`,
    ]);
    const own = { ...HA, 'job-result-store.storage-path': 's3://state/results' };
    expect(retained(ended(own, 'succeeded', 'FINISHED'))).toContain('s3://state/results');
  });

  it('is also its ConfigMaps, when nobody knows the end', () => {
    expect(retained(ended(HA, 'unknown'))).toContain(`ConfigMap/${clusterId}-*`);
  });

  it('is the checkpoints of a job that Flink did not end', () => {
    const options = { 'state.checkpoints.dir': 's3://state/checkpoints' };
    expect(retained(ended(options, 'failed'))).toEqual([`s3://state/checkpoints/${jobId}`]);
    expect(retained(ended(options, 'failed', 'FAILED'))).toEqual([]);
    const neverRan = runIn('ended', 0);
    expect(retained({ ...neverRan, job: { ...neverRan.job, options } })).toEqual([]);
  });
});
