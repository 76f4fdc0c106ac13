import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Check } from '../../packages/cli/src/doctor/check.ts';
import { main } from '../../packages/cli/src/main.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { fakeIo } from '../../packages/cli/test/fake-io.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { FLINK_VERSIONS, imageOf, kubectl } from './support/lab.ts';
import { openTenant, type Tenant } from './support/tenant.ts';

describe('doctor, with the least Role', () => {
  let admin: KubernetesApi;
  let tenant: Tenant;
  let folder: string;

  beforeAll(async () => {
    admin = await apiOfKubeconfig();
    tenant = await openTenant(admin);
    folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await tenant.remove();
  });

  async function doctor(image: string, ...args: string[]): Promise<{ code: number; checks: readonly Check[] }> {
    const access = { kind: 'kubeconfig', path: tenant.kubeconfig };
    const config = join(folder, 'dispatch.yml');
    const resource = { cpu: 0.1, memory: '1g' };
    const defaults = { image, serviceAccount: 'flink', jobManager: { resource }, taskManager: { resource } };
    writeFileSync(config, stringify({ targets: { lab: { namespace: tenant.namespace, access } }, defaults }));
    const base = fakeIo({});
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const io = { ...base, clock: { now: () => Date.now(), sleep } };
    const code = await main(['doctor', '--config', config, '--json', ...args], io, '0');
    return { code, checks: (JSON.parse(base.stdout()) as { checks: Check[] }).checks };
  }

  const stateOf = (checks: readonly Check[], name: string): string | undefined =>
    checks.find((check) => check.name === name)?.state;

  it('finds all that runs need, runs a pod of the image, and leaves nothing', async () => {
    const { code, checks } = await doctor(imageOf(FLINK_VERSIONS[0] ?? ''), '--probe');
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(code).toBe(0);
    for (const name of ['connection', 'version', 'clock', 'permissions', 'probe'])
      expect(stateOf(checks, name)).toBe('ok');
    expect(await kubectl('get', 'deployments,replicasets', '-n', tenant.namespace, '-o', 'name')).toBe('');
  });

  it('names an image that cannot be pulled', async () => {
    const { code, checks } = await doctor('localhost/no-such-image:1', '--probe');
    expect(code).toBe(1);
    const probe = checks.find(({ name }) => name === 'probe');
    expect(probe?.state).toBe('failed');
    expect(probe?.message).toContain('localhost/no-such-image:1');
  });

  it('names the one permission that is missing', async () => {
    const rules = await kubectl('get', 'role', 'flink-dispatch', '-n', tenant.namespace, '-o', 'json');
    const role = JSON.parse(rules) as { rules: { resources: string[] }[] };
    const index = role.rules.findIndex(({ resources }) => resources.includes('pods/log'));
    const patch = JSON.stringify([{ op: 'remove', path: `/rules/${index}` }]);
    await kubectl('patch', 'role', 'flink-dispatch', '-n', tenant.namespace, '--type=json', '-p', patch);
    const look = async (): Promise<string | undefined> => {
      const { checks } = await doctor(imageOf(FLINK_VERSIONS[0] ?? ''));
      return checks.find(({ name }) => name === 'permissions')?.message;
    };
    await expect.poll(look, { timeout: 30_000, interval: 500 }).toBe('not allowed: get pods/log');
    expect((await doctor(imageOf(FLINK_VERSIONS[0] ?? ''))).code).toBe(1);
  });
});
