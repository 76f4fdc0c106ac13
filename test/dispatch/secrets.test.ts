import { describe, expect, it } from 'vitest';
import { keptRecord } from '../../lib/run/retention/kept-record.ts';
import { outcomeOf } from '../../lib/verdict/decide.ts';
import { HEALTHY, jobMessage, World } from './world/simulated.ts';

/** Any of them in a record, an event or evidence would be found by this word. */
const SECRET = 'hunter2';

const SPEC = {
  args: ['--db-password', `${SECRET}-arg`, `jdbc:postgresql://user:${SECRET}-url@db/x`],
  options: { 'fs.azure.account.key.x': `${SECRET}-option`, 'my.url': `https://me:${SECRET}-in-option@host/x` },
  env: [
    { name: 'DB_PASSWORD', value: `${SECRET}-env` },
    { name: 'DB', value: `password=${SECRET}-env-text` },
  ],
  log: `<Appender password="${SECRET}-log"/>`,
};

async function failedRun(): Promise<{ readonly world: World; readonly runId: Parameters<World['record']>[0] }> {
  const world = new World();
  const { allow } = world.accept.prepare.deployment;
  Object.assign(allow, { podTemplates: 'any' });
  allow.options.allow.push('**');
  const message = `org.postgresql.PSQLException: jdbc:postgresql://user:${SECRET}-exception@db refused, password=${SECRET}`;
  const stackTrace = `${message}\n\tat a.B.main\nCaused by: token: ${SECRET}-0123456789-cause`;
  const result = {
    answers: { '/jobs': {} },
    rootException: { message, stackTrace },
    accumulators: { 'api-key': `${SECRET}-accumulator` },
  };
  world.programs = [{ ...HEALTHY, end: 'FAILED', result }];
  const { runId } = await world.request(
    jobMessage({
      flinkConfiguration: SPEC.options,
      podTemplate: { spec: { containers: [{ name: 'flink-main-container', env: SPEC.env }] } },
      logConfiguration: { 'logback-console.xml': SPEC.log },
      job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B', args: SPEC.args },
    }),
  );
  return { world, runId };
}

describe('a secret of a failed run', () => {
  it('is in no record, event or evidence once the run is over, wherever the spec or Flink had it', async () => {
    const { world, runId } = await failedRun();
    expect(JSON.stringify(world.record(runId).job)).toContain(`${SECRET}-option`);
    await world.drain();
    const record = world.record(runId);
    expect(record).toMatchObject({ state: 'closed', outcome: { reason: 'JobFailed' } });
    expect(JSON.stringify(record)).toContain('******');
    expect(JSON.stringify(record)).not.toContain(SECRET);
    expect(JSON.stringify(world.events(runId))).not.toContain(SECRET);
    expect([...world.evidence.values()].join('\n')).not.toContain(SECRET);
    expect(world.evidence.size).toBeGreaterThan(1);
  });

  it('is what its cluster was made with, and is not in what is said of the run while it lives', async () => {
    const { world, runId } = await failedRun();
    await world.drain();
    const live = world.writes.filter((write) => write.runId === runId && write.outcome === undefined);
    expect(live.length).toBeGreaterThan(2);
    for (const { job, ...said } of live) {
      expect(job?.args[1]).toBe(`${SECRET}-arg`);
      expect(JSON.stringify(said)).not.toContain(SECRET);
    }
  });
});

describe('a record', () => {
  const big = (): ReturnType<World['record']> => {
    const accumulators = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`n${i}`, 'x'.repeat(14_000)]));
    const outcome = {
      ...outcomeOf('succeeded', 'JobFinished', 'done', 1, []),
      ...{ accumulators, stackTrace: 'ü'.repeat(1_000_000), rootException: 'y'.repeat(100_000) },
    };
    const base = {
      version: 1,
      fingerprint: '',
      name: 'n',
      createdAt: 0,
      updatedAt: 0,
      events: [],
      attempts: [],
    } as const;
    const source = { kind: 'message', queueArn: 'q', messageId: 'm' } as const;
    const runId = '00000000000000000000' as ReturnType<World['record']>['runId'];
    return { ...base, runId, source, step: { number: 1, dueAt: 0 }, state: 'ended', outcome };
  };

  it('of a job with 14 MB of accumulators is bounded, and kept the same when it is kept again', () => {
    const kept = keptRecord(big());
    expect(JSON.stringify(kept).length).toBeLessThan(160 * 1024);
    expect(Object.keys(kept.outcome?.accumulators ?? {})[0]).toBe('n0');
    expect(keptRecord(kept)).toEqual(kept);
  });
});
