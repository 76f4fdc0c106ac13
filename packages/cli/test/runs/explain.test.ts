import { S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { without } from '../../../../lib/run/machine.ts';
import type { RunRecord } from '../../../../lib/run/record.ts';
import { inTeam, withTeam } from '../../../../test/dispatch/world/sessions-world.ts';
import { jobMessage, WAITS, World } from '../../../../test/dispatch/world/simulated.ts';
import { main } from '../../src/main.ts';
import { fakeIo } from '../fake-io.ts';
import { serve } from '../stored-texts.ts';

const s3 = mockClient(S3Client);
const objects = new Map<string, string>();
afterAll(() => s3.restore());

beforeEach(() => {
  s3.reset();
  objects.clear();
  serve(s3, objects);
});

function store(record: RunRecord): void {
  objects.set(`runs/${record.runId}/record.json`, JSON.stringify(record));
}

/** A run that was dispatched to its end, with its record and its evidence as they lie in the ledger. */
async function dispatched(spec: Record<string, unknown>, world = new World()): Promise<RunRecord> {
  const { runId } = await world.request(jobMessage(spec));
  await world.drain();
  for (const [uri, content] of world.evidence) objects.set(uri.replace('s3://ledger/', ''), content);
  store(world.record(runId));
  return world.record(runId);
}

async function run(...argv: readonly string[]) {
  const io = fakeIo();
  const code = await main(['runs', 'explain', ...argv, '--ledger', 'my-ledger'], io, '1');
  return { code, out: io.stdout(), err: io.stderr() };
}

const key = ({ runId }: RunRecord): string => `runs/${runId}/evidence/1/decision.json`;

describe('runs explain', () => {
  it.each(['application', 'standalone'])('replays the end of a run of mode %s, row by row', async (mode) => {
    const record = await dispatched(mode === 'application' ? {} : { mode });
    expect(record.outcome?.rule).toBe('application-ended');
    const { code, out, err } = await run(record.runId);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/by APPLICATION_RULES of lib\/verdict/);
    expect(out).toMatch(/^ {3}no +jobmanager-replaced +first JobManager: pod uid \S+, 0 restarts; now: /m);
    expect(out).toMatch(
      /^=> decided +application-ended +job [0-9a-f]{32} is FINISHED, application [0-9a-f]{32} is FINISHED$/m,
    );
    expect(out).toMatch(/^decided by application-ended \(All jobs .*\)\nsucceeded, JobFinished: The job finished$/m);
    expect(out).not.toContain('DISAGREES');
    const json = JSON.parse((await run(record.runId, '--json')).out) as { decisions: { agrees: boolean }[] };
    expect(json.decisions).toMatchObject([{ agrees: true, recorded: { rule: 'application-ended', kind: 'ended' } }]);
  });

  it('replays the end of a job in a session by the rules of sessions', async () => {
    const record = await dispatched(inTeam, await withTeam());
    const { out } = await run(record.runId);
    expect(out).toMatch(/by SESSION_RULES of lib\/verdict/);
    expect(out).toContain(`\ndecided by ${record.outcome?.rule ?? 'no rule'} (`);
  });

  it('shows both decisions of an attempt that was given up while its job ran', async () => {
    const world = new World();
    world.programs = [WAITS];
    const record = await dispatched({ deadlines: { start: '60s' }, retry: { attempts: 1 } }, world);
    const { out } = await run(record.runId);
    expect(out).toMatch(
      /^abort-decision\.json: [\s\S]*^=> decided +start-deadline +deadlines\.start 60 s: \d+ s used; /m,
    );
    expect(out).toMatch(/^decision\.json: [\s\S]*ABORT_RULES[\s\S]*^=> decided +aborted-job-stopped /m);
  });

  it('says that the rules of today decide otherwise', async () => {
    const record = await dispatched({});
    const decision = JSON.parse(objects.get(key(record)) ?? '{}') as object;
    objects.set(key(record), JSON.stringify({ ...decision, rule: 'job-gone' }));
    const { out } = await run(record.runId);
    expect(out).toContain('DISAGREES with the record: rule job-gone gave the verdict ended, by the code of that time');
  });

  it('has a sentence for what cannot be replayed', async () => {
    const record = await dispatched({});
    const [attempt] = record.attempts;
    if (attempt?.outcome === undefined) throw new Error('the attempt has no outcome');
    const { rule, ...older } = attempt.outcome;
    const said = async (changes: Pick<RunRecord, 'attempts'>): Promise<string> => {
      store({ ...record, ...changes } as RunRecord);
      return (await run(record.runId)).out;
    };
    expect(rule).toBe('application-ended');
    expect(await said({ attempts: [] })).toMatch(/the run ended before its first attempt, so no rule decided it: succ/);
    const logs = [{ ...attempt, outcome: older, artifacts: ['x.log'] }];
    expect(await said({ attempts: logs })).toMatch(/has no decision\.json: its evidence is of an older version/);
    const nothing = [{ ...attempt, outcome: older, artifacts: [] }];
    expect(await said({ attempts: nothing })).toMatch(/attempt 1 ended while its cluster was created/);
    const lost = [{ ...attempt, artifacts: ['x.log'] }];
    expect(await said({ attempts: lost })).toMatch(
      /rule application-ended ended attempt 1, and its decision\.json could not/,
    );
    expect(await said({ attempts: [{ ...without(attempt, 'outcome'), artifacts: [] }] })).toMatch(
      /attempt 1 of 1 goes on/,
    );
  });

  it.each([
    [['f'.repeat(20)], 2, /there is no run 'f+'; the ledger is my-ledger/],
    [['x'], 2, /'x' is no run id/],
    [[], 2, /runs explain <run id>/],
  ])('refuses %j', async (argv, code, message) => {
    expect(await run(...argv)).toMatchObject({ code, out: '', err: expect.stringMatching(message) as string });
  });

  it('names evidence that is gone, or that a newer version wrote', async () => {
    const record = await dispatched({});
    objects.set(key(record), '{"version":2}');
    expect(await run(record.runId)).toMatchObject({ code: 1, err: expect.stringMatching(/has version 2/) as string });
    objects.delete(key(record));
    expect(await run(record.runId)).toMatchObject({ code: 2, err: expect.stringMatching(/no longer in/) as string });
  });
});
