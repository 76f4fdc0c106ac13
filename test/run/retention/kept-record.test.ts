import { describe, expect, it } from 'vitest';
import { keptRecord } from '../../../lib/run/retention/kept-record.ts';
import { updateAttempt } from '../../../lib/run/machine.ts';
import type { Outcome, RunRecord } from '../../../lib/run/record.ts';
import { inSession } from '../../verdict/any-case.ts';
import { NOW, runIn } from '../../verdict/observations.ts';

const SECRET = 'password=hunter2';
const HIDDEN = 'password=******';
const outcome: Outcome = { state: 'failed', reason: 'JobFailed', message: SECRET, at: NOW, evidence: [SECRET] };

/** Every text of a record that others wrote. */
const said = {
  stepError: { since: NOW, count: 1, reason: 'Internal', message: SECRET },
  waiting: { since: NOW, until: NOW, reason: 'QuotaExceeded', message: SECRET },
  stopFailed: { at: NOW, by: 'x', reason: 'ReplacedByNewerRun', ordinal: 1, message: SECRET },
  stateUnknown: { message: SECRET },
} as const;

type Job = NonNullable<RunRecord['job']>;

function endedJob(change: Partial<Pick<Job, 'options' | 'args' | 'jar' | 'logConfiguration'>>): Job {
  const run = runIn('ended', 0);
  const { job } = keptRecord({ ...run, job: { ...run.job, ...change } });
  if (job === undefined) throw new Error('no job');
  return job;
}

describe('a record that is kept', () => {
  it.each(['stepError', 'waiting', 'stopFailed', 'stateUnknown'] as const)('has no secret in %s', (field) => {
    const kept = keptRecord({ ...runIn('running', 0), [field]: said[field] });
    expect(kept[field]).toEqual({ ...said[field], message: HIDDEN });
  });

  it('has none in the outcomes of its attempts', () => {
    const kept = keptRecord(updateAttempt(runIn('running', 0), { outcome, abortOutcome: outcome }));
    const hidden = { ...outcome, message: HIDDEN, evidence: [HIDDEN] };
    expect(kept.attempts[0]).toMatchObject({ outcome: hidden, abortOutcome: hidden });
  });

  it('has nothing that it had not before', () => {
    for (const run of [runIn('running', 0), runIn('ended', 0)]) expect(keptRecord(run)).toEqual(run);
  });

  it('has as much of an outcome as leaves room for the others', () => {
    const long = { ...outcome, message: 'x', stackTrace: 's'.repeat(60_000), rootException: 'r'.repeat(20_000) };
    const { stackTrace = '', rootException = '' } = keptRecord({ ...runIn('ended', 0), outcome: long }).outcome;
    expect([stackTrace, rootException].map((text) => Buffer.byteLength(text))).toEqual([48 * 1024, 12 * 1024]);
    expect(stackTrace).toMatch(/s…$/);
  });

  it('has the first accumulators that fit, each cut', () => {
    const accumulators = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`n${index}`, 'x'.repeat(7_000)]));
    const kept = keptRecord({ ...runIn('ended', 0), outcome: { ...outcome, accumulators } }).outcome.accumulators ?? {};
    const [first = ''] = Object.values(kept);
    expect(Buffer.byteLength(first)).toBe(6 * 1024);
    // The last one says by its place that there were more.
    expect(Object.keys(kept)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']);
    const few = { a: '1', b: '2' };
    expect(keptRecord({ ...runIn('ended', 0), outcome: { ...outcome, accumulators: few } }).outcome).toMatchObject({
      accumulators: few,
    });
  });

  it('has the job as it is while it may be launched, and without secrets once it has ended', () => {
    const options = { 'fs.s3a.secret.key': 'hunter2', parallelism: '2' };
    const going = runIn('running', 0);
    const { job } = keptRecord({ ...going, job: { ...going.job, options } });
    expect(job.options).toEqual(options);
    expect(endedJob({ options }).options).toEqual({ 'fs.s3a.secret.key': '******', parallelism: '2' });
    expect(endedJob({ args: ['--password=hunter2'] }).args.join()).not.toContain('hunter2');
    expect(endedJob({ logConfiguration: { 'log4j-console.properties': SECRET } }).logConfiguration).toEqual({
      'log4j-console.properties': HIDDEN,
    });
    expect(endedJob({})).not.toHaveProperty('logConfiguration');
    const uri = 'https://user:hunter2@jars.test/a.jar';
    expect(endedJob({ jar: { ...going.job.jar, uri } }).jar.uri).toMatch(
      /^https:\/\/(?!.*hunter2).*jars\.test\/a\.jar$/,
    );
  });

  it('has no secret of the pool that its session was made of', () => {
    const running = inSession({}, runIn('running', 0));
    const { job } = running;
    if (job.mode !== 'session') throw new Error('no session');
    const pool = { name: 'small', idleAfter: 1, options: { 'fs.s3a.secret.key': 'hunter2' } };
    const session = { ...job.session, pool } as unknown as typeof job.session;
    const ended = { ...runIn('ended', 0), job: { ...job, session } };
    const kept = keptRecord(ended).job;
    expect(JSON.stringify(kept)).not.toContain('hunter2');
    expect(kept).toMatchObject({
      session: { clusterId: job.session.clusterId, pool: { name: 'small', idleAfter: 1 } },
    });
    expect(keptRecord({ ...ended, job }).job).toMatchObject({ session: { clusterId: job.session.clusterId } });
  });
});
