import { beforeEach, describe, expect, it } from 'vitest';
import { askJobManager } from '../../../lib/dispatch/look/ask-job-manager.ts';
import { kubernetes } from '../../verdict/observations.ts';
import { Looking } from './looking.ts';

let looking: Looking;
beforeEach(() => {
  looking = new Looking();
});
const ask = () => askJobManager(looking.at, kubernetes(looking.run));
const ENDED = { state: 'FINISHED', endTime: 1 } as const;
const asked = () => looking.asked;

describe('a JobManager', () => {
  it('is not asked where none runs', async () => {
    const none = kubernetes(looking.run, { pods: [] });
    expect(await askJobManager(looking.at, none)).toEqual({ state: 'unreachable', error: 'no JobManager runs' });
    expect(asked()).toEqual([]);
  });

  it('that gives no answer is not reached', async () => {
    looking.refuses = true;
    expect(await ask()).toEqual({ state: 'unreachable', error: 'refused' });
  });
});

describe('a job that goes on', () => {
  it('is asked once what it is run as', async () => {
    const job = looking.job();
    looking.overviews = [[job]];
    expect(await ask()).toMatchObject({ facts: { jobs: [job] }, runtime: { jobId: job.id, type: 'STREAMING' } });
    expect(asked()).toEqual(['application', `runtime ${job.id}`]);
    asked().length = 0;
    looking.note({ runtime: { jobId: job.id, type: 'STREAMING' } as never });
    expect(await ask()).not.toHaveProperty('runtime');
    expect(asked()).toEqual(['application']);
    looking.note({ runtime: { jobId: 'another', type: 'STREAMING' } as never });
    expect(await ask()).toHaveProperty('runtime');
  });

  it.each(['CREATED', 'RESTARTING'] as const)('is not asked while it is %s', async (state) => {
    looking.overviews = [[looking.job({ state })]];
    expect(await ask()).toMatchObject({ state: 'answered' });
    expect(asked()).toEqual(['application']);
  });

  it('beside one that has ended ends no look', async () => {
    looking.overviews = [[looking.job(ENDED), looking.job({ id: 'second', state: 'CREATED' })]];
    expect(await ask()).not.toHaveProperty('askedAt');
  });

  const PLAN = { upgradeMode: 'savepoint' } as never;
  const FROM = { kind: 'savepoint', path: 's3://b/sp' } as never;
  it.each([
    ['that begins anew from its state', { state: PLAN, from: FROM, runningAt: undefined, job: 'RESTARTING' }, true],
    ['that has run', { state: PLAN, from: FROM, runningAt: 1, job: 'RESTARTING' }, false],
    ['that began from nothing', { state: PLAN, from: undefined, runningAt: undefined, job: 'RESTARTING' }, false],
    ['that keeps no state', { state: undefined, from: FROM, runningAt: undefined, job: 'RESTARTING' }, false],
    ['that is being made', { state: PLAN, from: FROM, runningAt: undefined, job: 'CREATED' }, false],
  ] as const)('%s is asked for its trouble: %j', async (_, { state, from, runningAt, job }, isAsked) => {
    const one = looking.job({ state: job });
    looking.overviews = [[one]];
    looking.note({ restoredFrom: from, runningAt } as never);
    looking.run = { ...looking.run, job: { ...looking.run.job, state } as never };
    looking.result = () => ({ answers: {}, rootException: { message: 'why', stackTrace: '' } });
    const rest = await ask();
    expect('trouble' in rest ? rest.trouble?.message : undefined).toBe(isAsked ? 'why' : undefined);
    expect(asked()).toEqual(['application', ...(isAsked ? [`result ${one.id}`] : [])]);
  });

  it('that does not tell its trouble is looked at all the same', async () => {
    looking.overviews = [[looking.job({ state: 'RESTARTING' })]];
    looking.note({ restoredFrom: FROM, runningAt: undefined } as never);
    looking.run = { ...looking.run, job: { ...looking.run.job, state: PLAN } };
    looking.result = () => {
      throw new Error('no');
    };
    expect(await ask()).toMatchObject({ state: 'answered' });
  });
});

describe('an application whose jobs have ended', () => {
  it('that has ended is asked once more: a job may have come since', async () => {
    const [first, second] = [looking.job(ENDED), looking.job({ id: 'second' })];
    looking.applications = [{ id: 'a', name: 'main', status: 'FINISHED' }];
    looking.overviews = [[first], [first, second]];
    const rest = await ask();
    expect(rest).toMatchObject({ facts: { jobs: [first, second] } });
    expect(rest).not.toHaveProperty('result');
    expect(asked()).toEqual(['application', 'application']);
  });

  it('has what its jobs left, and why it failed', async () => {
    const jobs = [
      looking.job({ ...ENDED, id: 'b', startTime: 2 }),
      looking.job({ ...ENDED, id: 'a', startTime: 1, state: 'FAILED' }),
    ];
    looking.applications = [
      { id: 'x', name: 'main', status: 'RUNNING' },
      { id: 'y', name: 'main', status: 'FAILED' },
    ];
    looking.overviews = [jobs];
    looking.result = (id) => ({ answers: {}, rootException: { message: `of ${id}`, stackTrace: '' } });
    expect(await ask()).toMatchObject({
      askedAt: looking.now,
      result: { rootException: { message: 'of a' } },
      results: { b: { rootException: { message: 'of b' } } },
      applicationException: { message: 'why y' },
    });
    expect(asked()).toEqual(['application', 'application', 'result a', 'result b', 'exception y']);
  });

  it('has the results of twenty jobs at most, and no list of one', async () => {
    looking.applications = [{ id: 'a', name: 'main', status: 'FINISHED' }];
    looking.overviews = [[looking.job(ENDED)]];
    expect(await ask()).not.toHaveProperty('results');
    asked().length = 0;
    looking.overviews = [Array.from({ length: 25 }, (_, i) => looking.job({ ...ENDED, id: `job ${i}`, startTime: i }))];
    await ask();
    expect(asked().filter((what) => what.startsWith('result'))).toHaveLength(20);
  });

  it('without any job has no result', async () => {
    looking.applications = [{ id: 'a', name: 'main', status: 'FINISHED' }];
    const rest = await ask();
    expect(rest).toMatchObject({ askedAt: looking.now, facts: { jobs: [] } });
    expect(rest).not.toHaveProperty('result');
    expect(rest).not.toHaveProperty('applicationException');
  });
});

describe('main() of a Flink that lists no applications', () => {
  const returned = { state: 'returned' } as never;

  it('is looked at when its jobs have ended, and goes on', async () => {
    looking.overviews = [[looking.job(ENDED)]];
    looking.main = { state: 'running' } as never;
    expect(await ask()).toMatchObject({ askedAt: looking.now, main: looking.main });
    expect(asked()).toEqual(['application', 'main']);
  });

  it('is over when it has returned', async () => {
    const job = looking.job(ENDED);
    looking.overviews = [[job]];
    looking.main = returned;
    expect(await ask()).toMatchObject({ main: returned, result: { answers: {} } });
    expect(asked()).toEqual(['application', 'main', 'application', `result ${job.id}`]);
  });

  it('is not looked at before there was a job', async () => {
    expect(await ask()).toEqual({ state: 'answered', facts: { jobs: [] }, askedAt: looking.now });
    expect(asked()).toEqual(['application']);
  });
});

describe('main() of a Flink that lists applications', () => {
  beforeEach(() => {
    looking.applications = [{ id: 'a', name: 'main', status: 'RUNNING' }];
    looking.overviews = [[looking.job({ ...ENDED, endTime: looking.now - 60 * 60_000 })]];
  });

  it('is looked at when it goes on for too long, and then its jobs tell', async () => {
    looking.note({ jobsEndedAt: looking.now - 60 * 60_000 });
    expect(await ask()).toMatchObject({ result: { answers: {} } });
    expect(asked().slice(0, 3)).toEqual(['application', 'main', 'application']);
  });

  it('is not looked at before', async () => {
    looking.note({ jobsEndedAt: looking.now });
    expect(await ask()).not.toHaveProperty('result');
    expect(asked()).toEqual(['application']);
  });
});

describe('the job of a session', () => {
  beforeEach(() => {
    looking.run = { ...looking.run, job: { ...looking.run.job, mode: 'session' } as never };
  });

  it('is asked for alone, and for its result when it has ended', async () => {
    const own = looking.job();
    looking.overviews = [[looking.job({ ...ENDED, id: 'of another' }), own]];
    expect(await ask()).not.toHaveProperty('result');
    expect(asked()).toEqual(['session', `runtime ${own.id}`]);
    asked().length = 0;
    looking.overviews = [[{ ...own, ...ENDED }]];
    expect(await ask()).toMatchObject({ state: 'answered', result: { answers: {} } });
    expect(asked()).toEqual(['session', `result ${own.id}`]);
  });
});
