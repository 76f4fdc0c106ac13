import { expect, it } from 'vitest';
import { timeline } from '../../infra/local/demo/timeline.ts';
import { clusterIdFor, jobIdFor, runIdFor } from '../../lib/core/ids.ts';
import type { Attempt, RunRecord } from '../../lib/run/record.ts';

const runId = runIdFor('x');

function attempt(number: number, times: Partial<Attempt>): Attempt {
  return {
    number,
    clusterId: clusterIdFor('words', runId, number),
    jobId: jobIdFor(runId, number),
    launchedAt: 0,
    ...times,
  };
}

function record(parts: object): RunRecord {
  const source = { kind: 'message', queueArn: 'q', messageId: 'm' } as const;
  const look = { number: 1, dueAt: 100 };
  const base = { version: 1, runId, state: 'accepted', source, fingerprint: 'f', name: 'words', step: look } as const;
  return { ...base, createdAt: 100, updatedAt: 100, attempts: [], events: [], ...parts } as unknown as RunRecord;
}

it('tells what has happened so far, and no more', () => {
  expect(timeline(record({}), 40).map(({ stage, since }) => [stage, since])).toEqual([['accepted', 60]]);
  const starting = record({ attempts: [attempt(1, { launchedAt: 110, createdAt: 120 })] });
  expect(timeline(starting, 100).map(({ stage }) => stage)).toEqual(['accepted', 'launching', 'starting']);
});

it('grows only at its end when an attempt is followed by another', () => {
  const first = attempt(1, { launchedAt: 110, createdAt: 120, runningAt: 130, removalVerifiedAt: 140 });
  const before = timeline(record({ attempts: [first] }), 100).filter(({ stage }) => stage !== 'clean');
  const after = timeline(record({ attempts: [first, attempt(2, { launchedAt: 150 })] }), 100);
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.at(-1)).toMatchObject({ stage: 'launching', at: 150 });
});

it('ends with the outcome, its announcement and the proof that nothing is left', () => {
  const outcome = { state: 'succeeded', reason: 'JobFinished', message: 'done', at: 140, evidence: [] } as const;
  const events = [{ sequence: 1, type: 'completed', time: 140, publishedAt: 150 }] as const;
  const attempts = [attempt(1, { launchedAt: 110, createdAt: 120, runningAt: 130, removalVerifiedAt: 160 })];
  const stages = timeline(record({ outcome, events, attempts }), 100).slice(-3);
  expect(stages.map(({ stage, at }) => [stage, at])).toEqual([
    ['finished', 140],
    ['announced', 150],
    ['clean', 160],
  ]);
});
