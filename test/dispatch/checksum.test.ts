import { expect, it } from 'vitest';
import type { PinJar } from '../../lib/job/jar/pin.ts';
import type { RunRequest } from '../../lib/trigger/request.ts';
import { jarFixture, MemoryObjects } from '../job/jar/memory-objects.ts';
import { jobMessage, World } from './world/simulated.ts';

const [RIGHT, WRONG] = ['a'.repeat(64), 'b'.repeat(64)];

/** A world with one uploaded jar, whose bytes have the sum RIGHT. */
async function request(job: Record<string, unknown>, pin?: PinJar): ReturnType<World['request']> {
  const world = new World();
  const objects = new MemoryObjects().put('uploads/a.jar', jarFixture('main-class'));
  const { deployment } = world.accept.prepare;
  Object.assign(deployment.allow, { jarUriSchemes: ['local', 's3', 'https'], jarBuckets: ['*'], jarUriHosts: ['h'] });
  const pinned = { bucket: 'own', key: 'k', sha256: RIGHT, size: 1 };
  Object.assign(world.accept, {
    prepare: { ...world.accept.prepare, objects },
    pin: pin ?? ((jar) => Promise.resolve({ ...jar, pinned })),
  } satisfies Partial<World['accept']>);
  const message: RunRequest = jobMessage({ job });
  const accepted = await world.request(message);
  return Object.assign(accepted, { record: world.record(accepted.runId) });
}

it.each([
  ['the right sum', { jarURI: 's3://uploads/a.jar', jarSha256: RIGHT.toUpperCase() }, undefined],
  ['a wrong sum', { jarURI: 's3://uploads/a.jar', jarSha256: WRONG }, ['JarChecksumMismatch', 'job.jarSha256']],
  ['a sum of a jar of the image', { jarURI: 'local:///a.jar', jarSha256: RIGHT }, ['InvalidSpec', 'job.jarSha256']],
  [
    'a signed URL that has ended',
    { jarURI: 'https://h/a.jar?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60', entryClass: 'a.B' },
    ['JarAccessDenied', 'job.jarURI'],
  ],
] as const)('%s', async (_what, job, refusal) => {
  const accepted = await request(job);
  const [reason, field] = refusal ?? [];
  const outcome = refusal === undefined ? {} : { outcome: { state: 'rejected', reason, field } };
  expect(accepted).toMatchObject({ result: refusal === undefined ? 'accepted' : 'rejected', record: outcome });
});
