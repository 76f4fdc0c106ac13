import { describe, expect, it } from 'vitest';
import { accept } from '../../lib/dispatch/accept.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { RunRequest } from '../../lib/trigger/request.ts';
import { holderIn } from '../prove/locks/invariants.ts';
import { HEALTHY, jobMessage, QUEUE_ARN, World } from './world/simulated.ts';

const ALLOW = "allow: { images: ['flink:*'] }";
const OTHER_ARN = `${QUEUE_ARN}-other`;
const TWO = parseDispatchConfig(`
targets: { default: { namespace: flink, namespaces: [other], access: { kind: in-cluster } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
tenants:
  one: { sources: [{ queue: '${QUEUE_ARN}' }], targets: { default: [flink] }, quotas: { liveRuns: 2 }, ${ALLOW} }
  other: { sources: [{ queue: '${OTHER_ARN}' }], targets: { default: [other] }, ${ALLOW} }
`);

interface Two {
  readonly world: World;
  readonly accept: (request: RunRequest) => ReturnType<typeof accept>;
}

function worldOfTwo(): Two {
  const world = new World();
  const deps = { ...world.accept, prepare: { ...world.accept.prepare, deployment: TWO } };
  return { world, accept: (request) => accept(request, deps) };
}

function ofQueue(queueArn: string, request: RunRequest): RunRequest {
  return { ...request, source: { ...request.source, queueArn } as RunRequest['source'] };
}

describe('two tenants', () => {
  it('hold the same concurrency key at once, and do not cancel each other', async () => {
    const { world, accept } = worldOfTwo();
    world.programs = Array(3).fill({ ...HEALTHY, endsAfter: 600_000 });
    const spec = { concurrency: { key: 'payroll', policy: 'replace' } };
    const ours = await accept(jobMessage(spec));
    await world.drainFor(5_000);
    const theirs = await accept(ofQueue(OTHER_ARN, jobMessage(spec)));
    await world.drainFor(5_000);
    expect(world.record(ours.runId)).toMatchObject({ tenant: 'one', job: { namespace: 'flink' } });
    expect(world.record(ours.runId).cancelRequested).toBeUndefined();
    expect(world.record(theirs.runId)).toMatchObject({ tenant: 'other', job: { namespace: 'other' }, attempts: [{}] });
    const locks = world.s3.keys('ledger/locks/').map((key) => [key.split('/')[2], holderIn(world.s3.text(key))]);
    expect(locks).toEqual([
      ['one', ours.runId],
      ['other', theirs.runId],
    ]);
    const newer = await accept(jobMessage(spec));
    await world.drainFor(5_000);
    expect(world.record(ours.runId).cancelRequested?.by).toBe(`run ${newer.runId}`);
  });

  it('have keys of their own: neither joins the other’s run', async () => {
    const { accept } = worldOfTwo();
    const request = jobMessage({}, 'today');
    const [ours, again, theirs] = [
      await accept(request),
      await accept(request),
      await accept(ofQueue(OTHER_ARN, request)),
    ];
    expect(again).toEqual({ runId: ours.runId, result: 'duplicate' });
    expect(theirs.result).toBe('accepted');
    expect(theirs.runId).not.toBe(ours.runId);
  });

  it('are not asked for by a queue of nobody: its run is rejected, in the dead letters', async () => {
    const { world, accept } = worldOfTwo();
    const { runId, result } = await accept(ofQueue(`${QUEUE_ARN}-nobody`, jobMessage()));
    expect(result).toBe('rejected');
    const message = `the queue ${QUEUE_ARN}-nobody belongs to no tenant: add it to tenants.<name>.sources`;
    expect(world.record(runId).outcome).toMatchObject({ reason: 'NotAllowed', message, field: 'source' });
    expect(world.deadLetters).toMatchObject([{ reason: 'NotAllowed', field: 'source' }]);
  });

  it('have as many live runs as their quota says, each its own', async () => {
    const { world, accept } = worldOfTwo();
    const [one, two, three] = [await accept(jobMessage()), await accept(jobMessage()), await accept(jobMessage())];
    expect([one.result, two.result, three.result]).toEqual(['accepted', 'accepted', 'rejected']);
    expect(world.record(three.runId).outcome).toMatchObject({ reason: 'NotAllowed', field: 'tenant' });
    expect(world.record(three.runId).outcome?.message).toContain('tenant one has 2 live runs');
    expect((await accept(ofQueue(OTHER_ARN, jobMessage()))).result).toBe('accepted');
  });
});

describe('two uploads of one key, whose events come in the wrong order', () => {
  const upload = (sequencer: string): RunRequest => ({
    source: { kind: 'jar-upload', bucket: 'jars', key: 'job.jar', eventTime: 0, sequencer },
    identity: sequencer,
  });

  it('leave the newer one running: the late event of the older replaces nothing', async () => {
    const world = new World();
    const deployment = { ...world.accept.prepare.deployment };
    deployment.defaults = { ...deployment.defaults, concurrency: { key: 'job', policy: 'replace' } };
    const deps = { ...world.accept, prepare: { ...world.accept.prepare, deployment } };
    world.programs = Array(3).fill({ ...HEALTHY, endsAfter: 600_000 });
    const newer = await accept(upload('0055AED6DCD90281E6'), deps);
    await world.drainFor(5_000);
    const older = await accept(upload('0055AED6DCD90281E5'), deps);
    await world.drainFor(5_000);
    expect(world.record(newer.runId).cancelRequested).toBeUndefined();
    expect(world.record(older.runId).outcome).toMatchObject({ state: 'canceled', reason: 'ReplacedByNewerRun' });
    expect(world.record(older.runId).attempts).toEqual([]);
  });
});
