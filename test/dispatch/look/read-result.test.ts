import { describe, expect, it } from 'vitest';
import { readResult } from '../../../lib/dispatch/look/read-result.ts';
import type { JobResult, JobSummary } from '../../../lib/flink/job-manager.ts';
import { jobOf, runIn } from '../../verdict/observations.ts';

const job = jobOf(runIn('running', 0), { state: 'FAILED' });
const rootException = { message: 'a.B: no luck', stackTrace: 'a.B: no luck' };
const said = (state: string, more: Partial<JobResult> = {}): JobResult => ({
  answers: { [`/jobs/${job.id}`]: { state } },
  ...more,
});

/** One answer after another, the last one for good; with the times at which it was asked, in milliseconds. */
async function read(answers: readonly (JobResult | Error)[], of: JobSummary = job) {
  let now = 0;
  const times: number[] = [];
  const clock = { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) };
  const result = await readResult(
    {
      result: () => {
        const answer = answers[Math.min(times.length, answers.length - 1)];
        times.push(now);
        return answer instanceof Error || answer === undefined
          ? Promise.reject(answer ?? new Error())
          : Promise.resolve(answer);
      },
    },
    of,
    clock,
  );
  return { result, times };
}

describe('what a JobManager says of a job that failed', () => {
  it('is asked again while it is of before its end', async () => {
    const failed = said('FAILED', { rootException });
    expect(await read([said('RUNNING'), said('FAILED'), failed])).toEqual({ result: failed, times: [0, 500, 1000] });
  });

  it('is taken at once when it is of its end', async () => {
    expect((await read([said('FAILED', { rootException })])).times).toEqual([0]);
    expect((await read([said('FINISHED')], { ...job, state: 'FINISHED' })).times).toEqual([0]);
  });

  it('is taken as it is when Flink would have had another one by then', async () => {
    const { result, times } = await read([said('RUNNING')]);
    expect(result).toEqual(said('RUNNING'));
    expect(times.at(-1)).toBe(3500);
  });

  it('is done without where nobody answers', async () => {
    expect(await read([new Error('gone')])).toEqual({ result: { answers: {} }, times: [0] });
  });
});
