import { describe, expect, it } from 'vitest';
import type { JobRuntime } from '../../lib/flink/job-manager.ts';
import { updateAttempt } from '../../lib/run/machine.ts';
import type { ActiveRun } from '../../lib/run/record.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { isUnbounded, maybeUnbounded, streamNote } from '../../lib/verdict/kind.ts';
import { withOptions } from './any-case.ts';
import { answered, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

const HINT = 'if it has no end, its spec lacks job.kind: streaming';

/** A run whose job runs, as its spec and Flink call it. */
function running(kind: 'batch' | 'streaming', runtime: Omit<JobRuntime, 'jobId'>): ActiveRun {
  const record = withOptions(runIn('running', 5000), {}, kind === 'streaming' ? 'streaming' : undefined);
  return updateAttempt(record, { runtime: { jobId: record.attempts[0].jobId, ...runtime } });
}

function deleted(record: ActiveRun) {
  return decide(
    look(record, UNREACHABLE, { kubernetes: kubernetes(record, { deployment: { state: 'absent' } }) }),
    record,
    NOW,
  );
}

it('a job that looks like a stream is told of with how often it takes a checkpoint', () => {
  const verdict = deleted(running('batch', { type: 'STREAMING', checkpointInterval: 60_000 }));
  expect(verdict).toHaveProperty('outcome.message', expect.stringContaining('a checkpoint every 60 s'));
});

describe('the kind of a job, when its cluster is gone', () => {
  it.each([
    ['batch', {}, 'ended', 'unknown'],
    ['batch', { type: 'BATCH' }, 'ended', 'unknown'],
    // A bounded job may take checkpoints, and have finished.
    ['batch', { type: 'STREAMING', checkpointInterval: 60_000 }, 'ended', 'unknown'],
    ['streaming', {}, 'failed', 'failed'],
    ['streaming', { type: 'STREAMING' }, 'failed', 'failed'],
    ['streaming', { type: 'STREAMING', checkpointInterval: 60_000 }, 'failed', 'failed'],
    // In batch mode no source is unbounded.
    ['streaming', { type: 'BATCH' }, 'ended', 'unknown'],
  ] as const)('%s in its spec, and for Flink %j: %s', (kind, runtime, verdict, state) => {
    expect(deleted(running(kind, runtime))).toMatchObject({ kind: verdict, outcome: { state } });
  });

  it.each([
    ['batch', { type: 'STREAMING', checkpointInterval: 60_000 }, true],
    ['batch', { type: 'STREAMING' }, false],
    ['batch', { type: 'BATCH' }, false],
    ['batch', { type: 'BATCH', checkpointInterval: 60_000 }, false],
    ['batch', {}, false],
    ['streaming', { type: 'STREAMING', checkpointInterval: 60_000 }, false],
  ] as const)('%s in its spec, and for Flink %j: looks endless: %s', (kind, runtime, hinted) => {
    const verdict = deleted(running(kind, runtime));
    expect(verdict.kind === 'wait' ? '' : verdict.outcome.message.includes(HINT)).toBe(hinted);
  });
});

describe('whether a job has no end', () => {
  const PERIODIC = { type: 'STREAMING', checkpointInterval: 60_000 } as const;

  it.each([
    ['AUTOMATIC', { type: 'STREAMING' }, true, true],
    ['automatic', PERIODIC, true, true],
    ['AUTOMATIC', { type: 'BATCH' }, false, false],
    ['AUTOMATIC', {}, false, false],
    [undefined, PERIODIC, false, true],
    [undefined, { type: 'STREAMING' }, false, false],
    // Whoever says so may well mean a bounded job.
    ['STREAMING', PERIODIC, false, false],
  ] as const)('with execution.runtime-mode %s, of which Flink says %j: %s, maybe %s', (mode, runtime, is, may) => {
    const options = mode === undefined ? {} : { 'execution.runtime-mode': mode };
    const record = withOptions(running('batch', runtime), options);
    expect([isUnbounded(record), maybeUnbounded(record)]).toEqual([is, may]);
  });

  it('is noted of a plain run, with what becomes of it', () => {
    const directory = { 'execution.checkpointing.savepoint-dir': 's3://state/savepoints' };
    const upload = { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', eventTime: 0 } as const;
    const noteOf = (options: Record<string, string>, change: Partial<ActiveRun> = {}) =>
      streamNote({ ...withOptions(running('batch', PERIODIC), options), ...change });
    expect(noteOf(directory, { source: upload })).toMatch(/may have no end: the next version takes its place/);
    expect(noteOf({}, { source: upload })).toMatch(
      /the next version runs beside it; job\.kind: streaming, and a directory/,
    );
    const message = { kind: 'message', queueArn: 'arn:q', messageId: 'm' } as const;
    expect(noteOf(directory, { source: message })).toMatch(/the next version runs beside it/);
    expect(noteOf({ 'execution.runtime-mode': 'AUTOMATIC' })).toMatch(/has a source without an end/);
    expect(noteOf({ 'execution.runtime-mode': 'STREAMING' })).toBeUndefined();
  });
});

describe('the deadline of a job that may have no end', () => {
  const overdue = (record: ActiveRun): ActiveRun => ({
    ...record,
    job: { ...record.job, deadlines: { ...record.job.deadlines, run: 1000 } },
  });

  it.each([
    [running('batch', { type: 'STREAMING', checkpointInterval: 60_000 }), true],
    [running('batch', { type: 'STREAMING' }), false],
    [running('streaming', { type: 'STREAMING', checkpointInterval: 60_000 }), false],
  ])('says so where its spec does not', (record, hinted) => {
    const late = overdue(record);
    const verdict = decide(look(late, answered([jobOf(late)])), late, NOW);
    expect(verdict).toMatchObject({ kind: 'ended', rule: 'run-deadline', outcome: { reason: 'RunDeadlineExceeded' } });
    expect(verdict.kind === 'wait' ? '' : verdict.outcome.message.includes(HINT)).toBe(hinted);
  });
});
