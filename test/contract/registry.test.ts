import { afterAll, beforeAll, describe } from 'vitest';
import { FakeRegistry } from '../fakes/registry-server.ts';
import { hasRegistry, startRegistry, type RealRegistry } from '../registry/support/distribution.ts';
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
