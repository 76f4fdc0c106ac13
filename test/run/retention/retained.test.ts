import { describe, expect, it } from 'vitest';
import { retained } from '../../../lib/run/retention/retained.ts';
import { outcomeOf } from '../../../lib/verdict/decide.ts';
import type { Outcome, RunRecord } from '../../../lib/run/record.ts';
import { without } from '../../../lib/run/machine.ts';
import { clusterId as clusterIdOf } from '../../fakes/ids.ts';
import { inSession } from '../../verdict/any-case.ts';
import { NOW, runIn } from '../../verdict/observations.ts';

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

  it('is the checkpoints of a job that has the id of its record, whether or not it was seen to run', () => {
    const options = { ...HA, 'execution.checkpointing.dir': 's3://state/chk/', 'state.checkpoints.dir': 's3://old' };
    const neverRan = runIn('ended', 0);
    const run = { ...neverRan, job: { ...neverRan.job, options } };
    expect(retained(run)).toContain(`s3://state/chk/${jobId}`);
    expect(retained(run).join()).not.toContain('s3://old');
  });

  it('has a cluster-id of its own, where the job says so', () => {
    const own = { ...HA, 'high-availability.cluster-id': 'mine' };
    expect(retained(ended(own, 'succeeded', 'FINISHED'))).toEqual([
      's3://state/ha/mine',
      's3://state/ha/job-result-store/mine',
    ]);
  });

  it('is of all its attempts, each once, and the ConfigMaps of the last one', () => {
    const run = ended({ ...HA, 'high-availability.cluster-id': 'mine' }, 'unknown');
    const [first] = run.attempts;
    if (first === undefined) throw new Error('no attempt');
    const second = { ...first, number: 2, clusterId: clusterIdOf('second') };
    const kept = retained({ ...run, attempts: [first, second] });
    expect(kept).toEqual(['s3://state/ha/mine', 's3://state/ha/job-result-store/mine', 'ConfigMap/second-*']);
  });

  it('is nothing of a session, of a request that was rejected, or where high availability was not asked for', () => {
    const run = ended(HA, 'unknown');
    const { job } = inSession({}, runIn('running', 0));
    expect(retained({ ...run, job: { ...job, options: HA } })).toEqual([]);
    expect(retained(without(run, 'job'))).toEqual([]);
    expect(retained(ended({ 'high-availability.storageDir': 's3://state/ha' }, 'unknown'))).toEqual([]);
  });
});
