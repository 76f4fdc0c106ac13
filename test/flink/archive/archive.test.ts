import { describe, expect, it } from 'vitest';
import { archiveOf, readArchive, withEnd, writeArchive, type Archive } from '../../../lib/flink/archive/archive.ts';
import { createJobHistory } from '../../../lib/flink/rest/history.ts';
import { recordedTransport } from '../rest/recorded.ts';

const ID = '0123456789abcdef0123456789abcdef';
const DETAILS = { jid: ID, name: 'orders', state: 'RUNNING', 'start-time': 1_000, 'end-time': -1, duration: 5 };
const OVERVIEW = { jobs: [{ jid: 'another' }, { ...DETAILS, tasks: { total: 2 } }] };
const ANSWERS = { '/jobs/overview': OVERVIEW, [`/jobs/${ID}`]: { ...DETAILS, plan: { nodes: [] } } };

function made(answers: Readonly<Record<string, unknown>> = ANSWERS): Archive {
  const archive = archiveOf(ID, answers);
  if (archive === undefined) throw new Error('no archive');
  return archive;
}

function jsonAt(archive: Archive, path: string): unknown {
  return JSON.parse(archive.get(path) ?? 'null');
}

describe('an archive', () => {
  it('lists its job alone, and has its plan where Flink has it', () => {
    expect(jsonAt(made(), '/jobs/overview')).toEqual({ jobs: [{ ...DETAILS, tasks: { total: 2 } }] });
    // What 2.x has beside, a HistoryServer of 1.20 does not pass over.
    const newer = { ...OVERVIEW, jobs: [{ ...DETAILS, tasks: {}, jobType: 'BATCH', 'pending-operators': 0 }] };
    const listed = jsonAt(made({ ...ANSWERS, '/jobs/overview': newer }), '/jobs/overview') as { jobs: object[] };
    expect(Object.keys(listed.jobs[0] ?? {})).not.toEqual(expect.arrayContaining(['jobType']));
    expect(jsonAt(made(), `/jobs/${ID}/plan`)).toEqual({ plan: { nodes: [] } });
    expect(readArchive(writeArchive(made()))).toEqual(made());
  });

  it('lists a job that the overview has forgotten, and is none without the job', () => {
    const overview = jsonAt(made({ [`/jobs/${ID}`]: DETAILS }), '/jobs/overview');
    expect(overview).toMatchObject({ jobs: [{ jid: ID, state: 'RUNNING', 'start-time': 1_000 }] });
    expect(archiveOf(ID, { '/jobs/overview': OVERVIEW })).toBeUndefined();
    expect(['', '{}', '{"archive":[{}]}'].map(readArchive)).toEqual([undefined, undefined, undefined]);
  });

  it('has no secret', () => {
    const config = [{ key: 's3.secret-key', value: 'geheim' }];
    const name = 'jdbc:mysql://u:geheim@db/x';
    const text = writeArchive(
      made({ ...ANSWERS, [`/jobs/${ID}`]: { ...DETAILS, name }, [`/jobs/${ID}/jobmanager/config`]: config }),
    );
    expect(text).not.toContain('geheim');
    expect(text).toContain('s3.secret-key');
  });

  it('has no answer without end, and is bounded as a whole', () => {
    const large = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`/jobs/${ID}/x${n}`, { x: 'x'.repeat(500_000) }]),
    );
    const archive = made({ ...ANSWERS, ...large, [`/jobs/${ID}/huge`]: { x: 'x'.repeat(2_000_000) } });
    expect(writeArchive(archive).length).toBeLessThan(4.5 * 1024 * 1024);
    expect(archive.has(`/jobs/${ID}/huge`)).toBe(false);
    expect([...archive.keys()].slice(0, 2)).toEqual(['/jobs/overview', `/jobs/${ID}`]);
  });
});

describe('an end that no JobManager told', () => {
  const end = { state: 'FAILED', at: 9_000, exception: { message: 'lost', stackTrace: 'lost\n\tat x' } } as const;

  it('stands where Flink would have it', () => {
    const closed = withEnd(ID, made(), end);
    const times = { state: 'FAILED', 'end-time': 9_000, duration: 8_000 };
    expect(jsonAt(closed, `/jobs/${ID}`)).toMatchObject(times);
    expect(jsonAt(closed, '/jobs/overview')).toMatchObject({ jobs: [{ ...times, 'last-modification': 9_000 }] });
    const told = { exceptionName: 'lost', stacktrace: 'lost\n\tat x', timestamp: 9_000 };
    expect(jsonAt(closed, `/jobs/${ID}/exceptions`)).toMatchObject({ exceptionHistory: { entries: [told] } });
  });

  it('comes before the exceptions that Flink told', () => {
    const exceptions = { exceptionHistory: { entries: [{ exceptionName: 'first' }], truncated: true } };
    const closed = withEnd(ID, made({ ...ANSWERS, [`/jobs/${ID}/exceptions`]: exceptions }), end);
    expect(jsonAt(closed, `/jobs/${ID}/exceptions`)).toMatchObject({
      exceptionHistory: { entries: [{ exceptionName: 'lost' }, { exceptionName: 'first' }], truncated: true },
    });
  });

  it('changes nothing of an end that one did tell', () => {
    const finished = made({ [`/jobs/${ID}`]: { ...DETAILS, state: 'FINISHED' } });
    expect(withEnd(ID, finished, end)).toBe(finished);
  });

  it.each(['1.20.0', '2.3.0'])('is of a state that a job of Flink %s has', async (version) => {
    const transport = recordedTransport(version, 'running');
    const { jobs } = (await transport({ method: 'GET', path: '/jobs/overview' })).body as { jobs: { jid: string }[] };
    const jid = jobs[0]?.jid ?? '';
    const archive = archiveOf(jid, await createJobHistory(transport).answers(jid));
    const closed = withEnd(jid, archive ?? new Map(), { state: 'CANCELED', at: 1_999_000_000_000 });
    expect(jsonAt(closed, `/jobs/${jid}`)).toMatchObject({
      state: 'CANCELED',
      timestamps: { CANCELED: 1_999_000_000_000 },
    });
  });
});
