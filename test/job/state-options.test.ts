import { describe, expect, it } from 'vitest';
import type { FlinkOptions, ResolvedJob, StatePlan } from '../../lib/job/job.ts';
import { optionsWithState } from '../../lib/job/state-options.ts';
import { without } from '../../lib/run/machine.ts';
import { launchedSample } from '../fixtures/records/load.ts';

const PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'CANONICAL', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://b/sp', checkpointDirectory: 's3://b/chk', history: { count: 1, age: 1 } },
  ...{ probation: 1, rollback: 'automatic' },
};

function jobWith(options: FlinkOptions, changes: Partial<ResolvedJob> = {}): ResolvedJob {
  return { ...launchedSample().job, options, state: PLAN, ...changes } as ResolvedJob;
}

const from = { kind: 'savepoint', path: 's3://b/sp/savepoint-1' } as const;

describe('the options of an attempt of a stream', () => {
  it.each([
    [
      '2.3',
      'execution.state-recovery.path',
      'execution.state-recovery.claim-mode',
      'execution.checkpointing.num-retained',
    ],
    [
      '1.20',
      'execution.state-recovery.path',
      'execution.state-recovery.claim-mode',
      'execution.checkpointing.num-retained',
    ],
    ['1.19', 'execution.savepoint.path', 'execution.savepoint-restore-mode', 'state.checkpoints.num-retained'],
  ])(
    'of Flink %s restore without a claim, and keep what a cancel would remove',
    (flinkVersion, path, claim, retained) => {
      expect(optionsWithState(jobWith({ a: 'b' }, { flinkVersion }), from)).toEqual({
        a: 'b',
        [path]: from.path,
        [claim]: 'NO_CLAIM',
        [retained]: '2',
        'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
        'rest.async.store-duration': '1 h',
      });
    },
  );

  it('never restore what the spec names: that is for the deployment to say', () => {
    const options = {
      'execution.savepoint.path': 's3://old',
      'execution.state-recovery.path': 's3://old',
      'execution.state-recovery.claim-mode': 'CLAIM',
      'execution.state-recovery.ignore-unclaimed-state': 'true',
    };
    const given = optionsWithState(jobWith(options), undefined);
    expect(Object.keys(given).filter((key) => /path|claim-mode/.test(key))).toEqual([]);
    expect(optionsWithState(jobWith(options), from)).toMatchObject({
      'execution.state-recovery.path': from.path,
      'execution.state-recovery.claim-mode': 'NO_CLAIM',
      'execution.state-recovery.ignore-unclaimed-state': 'true',
    });
  });

  it.each([
    ['1', '2'],
    ['5', '5'],
    ['many', 'many'],
  ])('retain at least two checkpoints: %s becomes %s', (wanted, expected) => {
    const given = optionsWithState(jobWith({ 'state.checkpoints.num-retained': wanted }), undefined);
    expect(given['execution.checkpointing.num-retained']).toBe(expected);
    expect(given).not.toHaveProperty(['state.checkpoints.num-retained']);
  });

  it("say nothing of checkpoints without a directory, and keep the job's own word on results", () => {
    const plan = without(PLAN, 'checkpointDirectory');
    const job = jobWith({ 'rest.async.store-duration': '5 min' }, { state: plan });
    expect(optionsWithState(job, undefined)).toEqual({ 'rest.async.store-duration': '5 min' });
  });

  it('are those of the job where it is no stream', () => {
    const options = { 'execution.state-recovery.path': 's3://own' };
    expect(optionsWithState(without(jobWith(options), 'state'), from)).toBe(options);
  });
});
