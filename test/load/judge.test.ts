import { describe, expect, it } from 'vitest';
import { clusterIdFor, jobIdFor, runIdFor } from '../../lib/core/ids.ts';
import { end, hasAttempt, toCleaning, toClosed, updateAttempt } from '../../lib/run/machine.ts';
import { outcomeOf } from '../../lib/verdict/decide.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { NOW, runIn } from '../verdict/observations.ts';
import { judge, type Seen } from './judge.ts';

const COMPLETED = 'io.flink-dispatch.run.completed.v1';
const IDS = Array.from({ length: 20 }, (_, index) => runIdFor(`load ${index}`));

function closed(runId: RunRecord['runId'], reason: 'JobFinished' | 'QuotaExceeded' = 'JobFinished'): RunRecord {
  const state = reason === 'JobFinished' ? 'succeeded' : 'failed';
  const ended = end(runIn('running', 0, { runId }), outcomeOf(state, reason, 'why', NOW, []));
  const done = toClosed(toCleaning(ended));
  return hasAttempt(done) ? updateAttempt(done, { capacityWaits: 3 }) : done;
}

function told(subject: RunRecord['runId'], receivedAt: number, id = `${subject}.3`): Seen['deliveries'][number] {
  return { event: { id, type: COMPLETED, subject }, receivedAt };
}

/** Twenty runs as they should be, the nth begun after n seconds. */
function seen(changes: Partial<Seen> = {}): Seen {
  const records = IDS.map((runId) => closed(runId));
  return {
    messages: IDS.length,
    quota: 5,
    records,
    deliveries: records.map(({ runId, createdAt }, index) => told(runId, createdAt + (index + 4) * 1000)),
    begun: records.map(({ runId, createdAt }, index) => ({
      clusterId: clusterIdFor('load', runId, 4),
      jobId: jobIdFor(runId, 4),
      at: createdAt + (index + 1) * 1000,
      endsAt: createdAt + (index + 2) * 1000,
    })),
    most: 5,
    left: [],
    ms: 40_000,
    throttled: {},
    ...changes,
  };
}

describe('the judge of the load', () => {
  it('has nothing to say of runs that are well', () => {
    expect(judge(seen())).toMatchObject({
      faults: [],
      runs: 20,
      succeeded: 20,
      deliveredAgain: 0,
      waitedForRoom: 20,
      mostAsks: 3,
      wait: { median: 10, p99: 20, longest: 20, bound: 140 },
      told: { median: 2, longest: 2 },
      runsPerSecond: 0.5,
    });
  });

  it('takes an event that comes again with its id', () => {
    const { deliveries } = seen();
    const twice = { deliveries: [...deliveries, ...deliveries.slice(0, 2)] };
    expect(judge(seen(twice))).toMatchObject({ deliveredAgain: 2, faults: [] });
  });

  it.each<[string, (good: Seen) => Partial<Seen>, RegExp]>([
    ['a lost run', ({ records }) => ({ records: records.slice(1) }), /19 runs of 20/],
    ['a run too many', ({ records }) => ({ records: [...records, closed(runIdFor('other'))] }), /21 runs of 20/],
    ['a lost event', ({ deliveries }) => ({ deliveries: deliveries.slice(1) }), /1 runs not announced once/],
    [
      'two ends of one run',
      ({ deliveries }) => ({ deliveries: [...deliveries, told(IDS[0] ?? runIdFor(''), NOW, 'other')] }),
      /1 runs not announced once/,
    ],
    [
      'a program that began twice',
      ({ begun }) => ({ begun: [...begun, ...begun.slice(3, 4).map((one) => ({ ...one, at: one.at + 1 }))] }),
      /1 runs whose program did not begin once/,
    ],
    ['a program that never began', ({ begun }) => ({ begun: begun.slice(1) }), /1 runs whose program did not/],
    [
      'a run that failed for want of room',
      ({ records }) => ({ records: [closed(IDS[0] ?? runIdFor(''), 'QuotaExceeded'), ...records.slice(1)] }),
      /1 runs: QuotaExceeded/,
    ],
    [
      'a run that is not closed',
      ({ records }) => ({
        records: records.map((record, index) => (index === 0 ? { ...record, state: 'cleaning' } : record)),
      }),
      /1 runs: still cleaning/,
    ],
    ['more clusters than the quota', () => ({ most: 6 }), /6 clusters at once/],
    [
      'a run that waited far longer than all others',
      ({ begun }) => ({ begun: begun.map((one, index) => (index === 7 ? { ...one, at: one.at + 200_000 } : one)) }),
      /1 runs starved/,
    ],
    ['something left', () => ({ left: ['pods/a'] }), /1 things left: pods\/a/],
  ])('notices %s', (_, change, fault) => {
    const good = seen();
    expect(judge({ ...good, ...change(good) }).faults.join()).toMatch(fault);
  });
});
