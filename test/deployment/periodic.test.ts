import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { generationOf, type DeploymentRecord } from '../../lib/deployment/record.ts';
import { nextPeriodic } from '../../lib/deployment/requests.ts';
import type { StatePlan } from '../../lib/job/job.ts';
import { jobIn, recordOf } from './job.ts';
import { request } from './request.ts';

const at = (text: string): number => Date.parse(`2026-11-${text}Z`);
const HOUR = 3_600_000;
const NIGHTLY = { savepointSchedule: { cron: '0 3 * * ? *', timeZone: 'Europe/Berlin' } };

/** Wanted since the 20th at noon, and run since the time. */
function next(plan: Partial<StatePlan>, runningAt?: number, periodicAt?: number): string | undefined {
  const { state } = jobIn('a');
  const asked = request('a', at('20T12:00'), { job: { ...jobIn('a'), state: { ...state, ...plan } } });
  const run = { id: runIdFor('a run'), generation: 1, why: 'create', at: 0 } as const;
  const record: DeploymentRecord = {
    ...recordOf([asked]),
    ...(runningAt !== undefined && { run: { ...run, runningAt } }),
    ...(periodicAt !== undefined && { periodicAt }),
  };
  const wanted = generationOf(record, 1);
  const time = wanted && nextPeriodic(record, wanted);
  return time === undefined ? undefined : new Date(time).toISOString().slice(8, 16);
}

describe('the next savepoint that nobody asks for', () => {
  it('is by the calendar of its time zone, after the last one', () => {
    expect(next(NIGHTLY, at('20T12:01'))).toBe('21T02:00');
    expect(next(NIGHTLY, at('20T12:01'), at('21T01:59'))).toBe('21T02:00');
    expect(next(NIGHTLY, at('20T12:01'), at('21T02:00'))).toBe('22T02:00');
  });

  it('is none of the times at which no run ran, or nobody had said so yet', () => {
    expect(next(NIGHTLY)).toBeUndefined();
    expect(next(NIGHTLY, at('22T02:30'), at('20T02:00'))).toBe('23T02:00');
    expect(next(NIGHTLY, at('10T00:00'))).toBe('21T02:00');
    expect(next({ savepointSchedule: { cron: '0 3 * * ? 2020', timeZone: 'UTC' } }, at('20T12:01'))).toBeUndefined();
  });

  it('is by interval and calendar, whichever comes first', () => {
    const both = { ...NIGHTLY, savepointEvery: 6 * HOUR };
    expect(next(both, at('20T12:01'))).toBe('20T18:01');
    expect(next(both, at('20T12:01'), at('21T00:30'))).toBe('21T02:00');
  });

  it('needs a place', () => {
    const { state } = jobIn('a');
    expect(state.savepointDirectory).toBeDefined();
    expect(next({ ...NIGHTLY, savepointDirectory: undefined as unknown as string }, at('20T12:01'))).toBeUndefined();
  });
});
