import { describe, expect, it } from 'vitest';
import { omit } from '../../lib/core/omit.ts';
import type { FlinkOptions, ResolvedJob } from '../../lib/job/job.ts';
import { currentAttempt } from '../../lib/run/machine.ts';
import type { ActiveRun, Outcome } from '../../lib/run/record.ts';
import { isTriedAgain, memoryRemedy } from '../../lib/run/remedy.ts';
import { afterFailure, attemptsUsed } from '../../lib/run/retry.ts';
import { buildEvent } from '../../lib/outcome/event.ts';
import { launchedSample } from '../fixtures/records/load.ts';

const SIZES = { 'jobmanager.memory.process.size': '1000m', 'taskmanager.memory.process.size': '2000m' };
const GIB = 1024 ** 3;
const NOW = launchedSample().createdAt + 60_000;
const sample = omit(launchedSample(), 'outcome');
const OOM = 'java.lang.OutOfMemoryError: ';
const NETWORK =
  'java.io.IOException: Insufficient number of network buffers: required 65, but only 38 available. The total number of network buffers is currently set to 4096 of 32768 bytes each.';

function jobWith(options: FlinkOptions = SIZES, limit = 4 * GIB): ResolvedJob {
  return { ...sample.job, options, retry: { attempts: 1, backoff: 1_000, memory: { factor: 1.5, limit } } };
}

function outcome(reason: Outcome['reason'], rootException?: string): Outcome {
  const root = rootException === undefined ? {} : { rootException };
  return { state: 'failed', reason, message: 'it failed', at: NOW, evidence: [], ...root };
}

const runWith = (job: ResolvedJob): ActiveRun => ({ ...sample, job, state: 'running', events: [] });
const told = (changes: ReturnType<typeof memoryRemedy>) =>
  changes?.map(({ key, from, to }) => `${key}: ${from} → ${to}`);

describe('a job that ran out of memory', () => {
  it.each<[string, Outcome, readonly string[]]>([
    ['the JobManager’s container', outcome('JobManagerOutOfMemory'), ['jobmanager.memory.process.size: 1000m → 1500m']],
    [
      'the JobManager’s metaspace',
      { ...outcome('JobManagerOutOfMemory'), message: `The JobManager's JVM ran out of memory: ${OOM}Metaspace` },
      ['jobmanager.memory.process.size: 1000m → 1128m', 'jobmanager.memory.jvm-metaspace.size: default → 384m'],
    ],
    [
      'the JobManager’s direct memory',
      { ...outcome('JobManagerOutOfMemory'), evidence: [`${OOM}Direct buffer memory`] },
      ['jobmanager.memory.process.size: 1000m → 1064m', 'jobmanager.memory.off-heap.size: default → 192m'],
    ],
    [
      'a TaskManager’s container',
      outcome('TaskManagerOutOfMemory'),
      ['taskmanager.memory.process.size: 2000m → 3000m'],
    ],
    [
      'a task’s heap',
      outcome('JobFailed', `${OOM}Java heap space`),
      ['taskmanager.memory.process.size: 2000m → 3000m'],
    ],
    [
      'a task’s metaspace',
      outcome('JobFailed', `${OOM}Metaspace. The metaspace out-of-memory error has occurred.`),
      ['taskmanager.memory.process.size: 2000m → 2128m', 'taskmanager.memory.jvm-metaspace.size: default → 384m'],
    ],
    [
      'a task’s direct memory',
      outcome('JobFailed', `${OOM}Cannot reserve 65536 bytes of direct buffer memory`),
      ['taskmanager.memory.process.size: 2000m → 2064m', 'taskmanager.memory.task.off-heap.size: default → 192m'],
    ],
    [
      'network buffers',
      outcome('JobFailed', NETWORK),
      [
        'taskmanager.memory.process.size: 2000m → 2064m',
        'taskmanager.memory.network.min: default → 192m',
        'taskmanager.memory.network.max: default → 192m',
      ],
    ],
    [
      'main()’s heap, which is the JobManager’s',
      outcome('ApplicationFailed', `main() failed: ${OOM}Java heap space`),
      ['jobmanager.memory.process.size: 1000m → 1500m'],
    ],
  ])('has more of what ran out: %s', (_, end, changes) => {
    expect(told(memoryRemedy(jobWith(), end))).toEqual(changes);
  });

  it('has more of a part that had a size of its own, and of a limit only where it is in the way', () => {
    const direct = jobWith({ ...SIZES, 'taskmanager.memory.task.off-heap.size': '1g' });
    expect(told(memoryRemedy(direct, outcome('JobFailed', `${OOM}Direct buffer memory`)))).toEqual([
      'taskmanager.memory.process.size: 2000m → 2512m',
      'taskmanager.memory.task.off-heap.size: 1g → 1536m',
    ]);
    const network = jobWith({ ...SIZES, 'taskmanager.memory.network.max': '1g' });
    expect(told(memoryRemedy(network, outcome('JobFailed', NETWORK)))?.slice(1)).toEqual([
      'taskmanager.memory.network.min: default → 192m',
    ]);
  });

  it.each(['unable to create native thread: possibly out of memory', 'Requested array size exceeds VM limit'])(
    'has no more where no size helps: %s',
    (what) => {
      expect(memoryRemedy(jobWith(), outcome('JobManagerOutOfMemory', OOM + what))).toBeUndefined();
    },
  );

  it('has never more than the limit', () => {
    const near = jobWith({ ...SIZES, 'taskmanager.memory.process.size': '3000m' });
    expect(told(memoryRemedy(near, outcome('TaskManagerOutOfMemory')))).toEqual([
      'taskmanager.memory.process.size: 3000m → 4096m',
    ]);
    const at = jobWith({ ...SIZES, 'taskmanager.memory.process.size': '4g' });
    const metaspace = outcome('JobFailed', `${OOM}Metaspace`);
    for (const end of [outcome('TaskManagerOutOfMemory'), metaspace]) expect(memoryRemedy(at, end)).toBeUndefined();
    const almost = jobWith({ ...SIZES, 'taskmanager.memory.process.size': '4090m' });
    expect(told(memoryRemedy(almost, metaspace))?.[0]).toBe('taskmanager.memory.process.size: 4090m → 4096m');
  });

  it.each([
    ['another failure', jobWith(), outcome('JobFailed', 'java.lang.IllegalStateException: no')],
    ['where retry.memory is not set', sample.job, outcome('TaskManagerOutOfMemory')],
    ['an outcome that is not known', jobWith(), { ...outcome('TaskManagerOutOfMemory'), state: 'unknown' as const }],
    ['without a size to grow from', jobWith({}), outcome('TaskManagerOutOfMemory')],
  ])('is left alone after %s', (_, job, end) => {
    expect(memoryRemedy(job, end)).toBeUndefined();
  });
});

describe('a run after it', () => {
  const end = outcome('TaskManagerOutOfMemory');

  it('goes on with another attempt, whatever retry.attempts says, until the limit', () => {
    const next = afterFailure(runWith(jobWith()), end, NOW);
    expect(next).toMatchObject({ state: 'waiting', job: { options: { 'taskmanager.memory.process.size': '3000m' } } });
    const remedy = [{ key: 'taskmanager.memory.process.size', from: '2000m', to: '3000m' }];
    expect(next.attempts.at(-1)).toMatchObject({ outcome: end, remedy });
    const at = { ...SIZES, 'taskmanager.memory.process.size': '4096m' };
    expect(afterFailure(runWith(jobWith(at)), end, NOW).state).toBe('ended');
  });

  it('tells what was changed, the failed attempt and those after it alone', () => {
    const next = afterFailure(runWith(jobWith()), end, NOW);
    const { number } = currentAttempt(runWith(jobWith()));
    const remedies = [{ attempt: number, option: 'taskmanager.memory.process.size', from: '2000m', to: '3000m' }];
    const remediesIn = (type: 'started' | 'attempt-failed', attempt: number) => {
      const later = { ...currentAttempt(runWith(jobWith())), number: number + 1 };
      const { run } = { run: { ...next, attempts: [...next.attempts, later] as unknown as typeof next.attempts } };
      return buildEvent(run, { sequence: 3, type, time: NOW, attempt }, { source: '/', ledgerBucket: 'l' }).data
        .remedies;
    };
    expect(remediesIn('started', number)).toBeUndefined();
    expect(remediesIn('attempt-failed', number)).toEqual(remedies);
    expect(remediesIn('started', number + 1)).toEqual(remedies);
  });

  it('ends at last, however small the steps', () => {
    const run = runWith(jobWith());
    const [first] = run.attempts;
    const before = Array.from({ length: 10 }, () => ({ ...first, remedy: [] }));
    expect(afterFailure({ ...run, attempts: [...before, first] as never }, end, NOW).state).toBe('ended');
  });

  it('leaves retry.attempts to other failures', () => {
    const run = runWith(jobWith());
    const [first] = run.attempts;
    const remedied = { ...first, outcome: end, remedy: [{ key: 'k', from: '1m', to: '2m' }] };
    expect(attemptsUsed({ ...run, attempts: [remedied, first] })).toBe(1);
  });

  it('ends when it is to be canceled, and when a job of it has finished', () => {
    const canceled = { ...runWith(jobWith()), cancelRequested: { at: NOW, by: 'x', reason: 'JobCanceled' as const } };
    expect(afterFailure(canceled, end, NOW).state).toBe('ended');
    const run = runWith(jobWith());
    const attempts = [{ ...run.attempts[0], jobFinished: true }] as const;
    expect(afterFailure({ ...run, attempts }, end, NOW).state).toBe('ended');
  });
});

describe('an attempt that ran out of memory', () => {
  it('may be followed by another one, so that what may have finished is not called failed', () => {
    expect(isTriedAgain(jobWith(), 'JobManagerOutOfMemory')).toBe(true);
    expect(isTriedAgain(sample.job, 'JobManagerOutOfMemory')).toBe(false);
    expect(isTriedAgain(jobWith(), 'JobFailed')).toBe(false);
    expect(isTriedAgain(sample.job, 'JobManagerCrashed')).toBe(true);
  });
});
