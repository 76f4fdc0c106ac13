import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredBlob } from '../../lib/registry/port.ts';
import { FakeRegistry } from '../fakes/registry-server.ts';
import { hasRegistry, startRegistry, type RealRegistry } from '../registry/support/distribution.ts';
import { clientFor, inPieces, open } from '../registry/support/images.ts';
import { registrySuite } from './registry-suite.ts';

describe.each([
  ['relative', false],
  ['absolute', true],
])('the fake registry, with %s places of uploads', (_, absolute) => {
  const fake = new FakeRegistry();
  fake.absolute = absolute;
  beforeAll(() => fake.start());
  afterAll(() => fake.stop());
  registrySuite(() => fake);
});

// Where a real cluster is, its image registry can be fetched.
describe.runIf(hasRegistry || process.env['KUBECONFIG'] !== undefined)('the registry of Docker', () => {
  let real: RealRegistry;
  beforeAll(async () => {
    real = await startRegistry();
  }, 120_000);
  afterAll(() => real.stop());
  registrySuite(() => real);
});

describe.runIf(hasRegistry || process.env['KUBECONFIG'] !== undefined)('the registry of Docker with users', () => {
  /** `p:ss word` */
  const USERS = 'robot:$2b$05$heqgiL37SWjs1.0kQYc5YO3ap1J36.vQorcVi8G.mewCSpn.EK9iG';
  let real: RealRegistry;
  beforeAll(async () => {
    real = await startRegistry(USERS);
  }, 120_000);
  afterAll(() => real.stop());

  const store = (password: string): Promise<StoredBlob> => {
    const registry = clientFor(open(real.host, { kind: 'secret', arn: 'users' }), {
      readSecret: () => Promise.resolve(JSON.stringify({ username: 'robot', password })),
    });
    const bytes = Buffer.alloc(1_000_000, 'jar');
    return registry.putBlob(
      { host: real.host, repository: 'jobs' },
      { size: bytes.length, open: () => inPieces(bytes) },
    );
  };

  it('takes what is sent with the right password', async () => {
    expect((await store('p:ss word')).how).toBe('uploaded');
  });

  it('takes nothing with a wrong one', async () => {
    await expect(store('hunter2')).rejects.toMatchObject({ reason: 'RegistryRefused' });
  });
});
