import { describe, expect, it } from 'vitest';
import { checkpointInterval } from '../../../lib/run/checkpointing.ts';
import { jobIsOver, keepUntil, removesHighAvailability } from '../../../lib/run/retention/cluster-retention.ts';
import { updateAttempt } from '../../../lib/run/machine.ts';
import type { EndedRun, HasAttempt, Outcome } from '../../../lib/run/record.ts';
import { inSession } from '../../verdict/any-case.ts';
import { NOW, runIn } from '../../verdict/observations.ts';

type Keep = 'always' | 'on-failure' | 'never';

function ended(outcome: Partial<Outcome>, keepCluster: Keep = 'always'): EndedRun & HasAttempt {
  const run = runIn('ended', 0);
  const plain = { state: 'failed', reason: 'JobFailed', message: 'why', at: NOW, evidence: [] } as const;
  return { ...run, job: { ...run.job, afterEnd: { keepCluster, ttl: 60_000 } }, outcome: { ...plain, ...outcome } };
}

describe('the cluster of a run that has ended', () => {
  it.each<[Keep, Outcome['state'], boolean]>([
    ['always', 'succeeded', true],
    ['always', 'failed', true],
    ['on-failure', 'failed', true],
    ['on-failure', 'unknown', true],
    ['on-failure', 'succeeded', false],
    ['on-failure', 'canceled', false],
    ['never', 'failed', false],
    ['never', 'unknown', false],
  ])('with keepCluster %s, after %s: stays for its time: %s', (keep, state, stays) => {
    expect(keepUntil(ended({ state }, keep), NOW)).toBe(stays ? NOW + 60_000 : undefined);
  });

  it.each([
    ...(['ApplicationFailed', 'JobLost', 'JobManagerCrashed'] as const),
    ...(['JobManagerOutOfMemory', 'PodEvicted', 'RunDeadlineExceeded'] as const),
  ])('after %s stays only where the job is over: else it would go on with the program', (reason) => {
    expect(keepUntil(ended({ reason }), NOW)).toBeUndefined();
    expect(keepUntil(ended({ reason, flinkState: 'RUNNING' }), NOW)).toBeUndefined();
    expect(keepUntil(ended({ reason, flinkState: 'FAILED' }), NOW)).toBe(NOW + 60_000);
  });

  it('does not stay where it goes on, where it is a session or a stream, or where there is none', () => {
    const run = ended({});
    expect(keepUntil(updateAttempt(run as never, { goesOn: true }), NOW)).toBeUndefined();
    const { job } = inSession({}, runIn('running', 0));
    expect(keepUntil({ ...run, job: { ...job, afterEnd: run.job.afterEnd } }, NOW)).toBeUndefined();
    expect(keepUntil({ ...run, job: { ...run.job, state: {} as never } }, NOW)).toBeUndefined();
    expect(keepUntil({ ...run, attempts: [] }, NOW)).toBeUndefined();
  });

  it('no longer runs the job where Flink has told of its end, by a state that Flink has', () => {
    const states = ['FINISHED', 'CANCELED', 'FAILED', 'RUNNING', 'SUSPENDED', 'toString', undefined];
    const over = states.filter((flinkState) => jobIsOver(ended(flinkState === undefined ? {} : { flinkState })));
    expect(over).toEqual(['FINISHED', 'CANCELED', 'FAILED']);
  });

  it('leaves its high-availability metadata where nobody knows the end', () => {
    expect(removesHighAvailability(ended({ state: 'unknown' }))).toBe(false);
    expect(removesHighAvailability(ended({ state: 'failed' }))).toBe(true);
  });
});

describe('the interval of checkpoints', () => {
  const run = runIn('running', 0);
  const asked = { ...run, job: { ...run.job, options: { 'execution.checkpointing.interval': '30 s' } } };

  it('is what Flink says of the job, else what its options say', () => {
    expect(checkpointInterval(asked)).toBe(30_000);
    expect(checkpointInterval(run)).toBeUndefined();
    expect(checkpointInterval({ ...asked, attempts: [] } as never)).toBe(30_000);
    const runtime = { jobId: 'x', type: 'STREAMING', checkpointInterval: 5_000 } as const;
    expect(checkpointInterval(updateAttempt(asked, { runtime }))).toBe(5_000);
    expect(checkpointInterval(updateAttempt(asked, { runtime: { jobId: 'x', type: 'BATCH' } }))).toBeUndefined();
    expect(checkpointInterval(updateAttempt(asked, { runtime: { jobId: 'x' } }))).toBe(30_000);
  });
});
