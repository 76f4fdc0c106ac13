import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { omit } from '../../lib/core/omit.ts';
import { runAgain } from '../../lib/operate/run-again.ts';
import { DeploymentsWorld, stream } from '../dispatch/world/deployments-world.ts';
import { HEALTHY, jobMessage, World } from '../dispatch/world/simulated.ts';
import { WAYS } from './ways.ts';

const person = { scope: { kind: 'all' }, once: 'once' } as const;
const FROM_BUCKET = { name: 'nightly', job: { jarURI: 's3://jars/job.jar', entryClass: 'a.B', args: ['--day', '1'] } };

/** A world with a run that has ended. */
async function ended(spec: Readonly<Record<string, unknown>> = FROM_BUCKET) {
  const world = new World();
  world.programs = [HEALTHY];
  const { runId } = await world.request(jobMessage(spec));
  await world.drain();
  expect(world.record(runId).outcome?.state).toBe('succeeded');
  return { world, runId };
}

describe.each(Object.entries(WAYS))('a run asked for once more %s', (_name, way) => {
  it.each(['rerun', 'replay'] as const)('by %s is one new run, however often it is asked for', async (kind) => {
    const { world, runId } = await ended();
    const first = await way(world, kind, runId, 'today');
    expect(await way(world, kind, runId, 'today')).toEqual(first);
    const other = await way(world, kind, runId, 'tomorrow');
    expect(new Set([runId, first.runId, other.runId]).size).toBe(3);
    await world.drain();
    for (const id of [first.runId, other.runId]) {
      const made = world.record(id ?? runId);
      expect(made).toMatchObject({
        again: { of: runId, exactly: kind === 'replay' },
        outcome: { state: 'succeeded' },
        job: { args: ['--day', '1'], jar: { pinned: world.record(runId).job?.jar.pinned } },
      });
    }
    expect(world.invariants.violations).toEqual([]);
  });

  it('is refused where there is no such run', async () => {
    const { world } = await ended();
    expect(await way(world, 'rerun', runIdFor('nobody'), 'k')).toEqual({ refused: 'RunNotFound' });
  });

  it('is refused for what was not kept', async () => {
    const secret = { ...FROM_BUCKET, flinkConfiguration: { 's3.secret-key': 'hush' } };
    const { world, runId } = await ended(secret);
    for (const kind of ['rerun', 'replay'] as const)
      expect(await way(world, kind, runId, 'k')).toEqual({ refused: 'InvalidSpec' });
    expect(world.records).toHaveLength(1);
  });
});

describe('a replay', () => {
  it('has the image that was seen, and the bytes that were kept, whatever lies there by now', async () => {
    const { world, runId } = await ended();
    const { pinned } = world.record(runId).job?.jar ?? {};
    world.jars.store('job.jar', Buffer.from('another jar'));
    const { runId: made } = await runAgain({ kind: 'replay', runId }, person, world.accept);
    expect(world.record(made).job).toMatchObject({
      options: { 'kubernetes.container.image.ref': expect.stringMatching(/^flink@sha256:[0-9a-f]{64}$/) as string },
      jar: { uri: 's3://jars/job.jar', pinned },
    });
    // One of it has the name that the image was first called by, which is what is allowed.
    await world.drain();
    const twice = await runAgain({ kind: 'replay', runId: made }, person, world.accept);
    expect(world.record(twice.runId).job?.options).toEqual(world.record(made).job?.options);
  });

  it('is refused when the bytes are gone', async () => {
    const { world, runId } = await ended();
    const { key = '' } = world.record(runId).job?.jar.pinned ?? {};
    world.s3.objects.delete(`ledger/${key}`);
    await expect(runAgain({ kind: 'replay', runId }, person, world.accept)).rejects.toMatchObject({
      reason: 'JarNotFound',
    });
    expect(world.records).toHaveLength(1);
  });

  it('is refused for what is not allowed any more', async () => {
    const { world, runId } = await ended();
    const { prepare } = world.accept;
    const allow = { ...prepare.deployment.allow, images: ['other:*'] };
    const deployment = { ...prepare.deployment, allow, defaults: {} };
    const deps = { ...world.accept, prepare: { ...prepare, deployment } };
    await expect(runAgain({ kind: 'replay', runId }, person, deps)).rejects.toMatchObject({
      reason: 'NotAllowed',
      field: 'image',
    });
  });

  it('of a run that no JobManager of was seen is refused', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage(FROM_BUCKET));
    await expect(runAgain({ kind: 'replay', runId }, person, world.accept)).rejects.toMatchObject({
      reason: 'InvalidSpec',
      message: expect.stringContaining('no JobManager of it was seen') as string,
    });
  });
});

it('a rerun takes what a stored name means by now', async () => {
  const world = new World();
  world.s3.store('ledger/jobs/nightly.yaml', JSON.stringify(FROM_BUCKET));
  const request = jobMessage();
  const stored = { ...omit(request, 'spec'), job: 'nightly' };
  const { runId } = await world.request(stored);
  await world.drain();
  world.s3.store('ledger/jobs/nightly.yaml', JSON.stringify({ ...FROM_BUCKET, job: { ...FROM_BUCKET.job, args: [] } }));
  const { runId: made } = await runAgain({ kind: 'rerun', runId }, person, world.accept);
  expect([world.record(runId), world.record(made)].map(({ job }) => job?.args)).toEqual([['--day', '1'], []]);
});

it('a run of a stream is its deployment’s to start', async () => {
  const world = new DeploymentsWorld();
  await world.request(stream());
  await world.pass(30_000);
  const [run] = world.runs;
  const order = { kind: 'rerun', runId: run?.runId ?? runIdFor('') } as const;
  await expect(runAgain(order, person, world.accept)).rejects.toMatchObject({
    reason: 'InvalidSpec',
    field: 'run',
  });
});
