import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { Check } from '../../src/doctor/check.ts';
import { permissionsFor, type Permission } from '../../src/doctor/permissions.ts';
import { main } from '../../src/main.ts';
import { fakeIo, type FakeIo } from '../fake-io.ts';
import { fakeKubernetes, type Answer } from '../fake-kubernetes.ts';

interface Role {
  readonly kind: string;
  readonly rules: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

/** `apps/deployments/create` … */
function flat(permissions: readonly Permission[]): string[] {
  return permissions
    .flatMap(({ group, resource, verbs }) => verbs.map((verb) => `${group}:${resource}:${verb}`))
    .sort();
}

it('asks for what the Role of infra/kubernetes gives, and less where a target needs less', () => {
  const file = new URL('../../../../infra/kubernetes/rbac/dispatcher.yaml', import.meta.url);
  const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Role);
  const role = documents.find(({ kind }) => kind === 'Role');
  const given = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}:${resource}:${verb}`))),
  );
  const proxy = { kind: 'service-proxy' } as const;
  const fetched = flat(permissionsFor({ rest: proxy, jarDelivery: { kind: 'fetch', urlTtl: 1 } }));
  const mounted = flat(permissionsFor({ rest: proxy, jarDelivery: { kind: 'mount', urlTtl: 1 } }));
  expect([...new Set([...fetched, ...mounted])].sort()).toEqual([...new Set(given)].sort());
  const direct = flat(permissionsFor({ rest: { kind: 'node-port' }, jarDelivery: { kind: 'fetch', urlTtl: 1 } }));
  expect(fetched.filter((one) => !direct.includes(one)).every((one) => one.includes('services/proxy'))).toBe(true);
});

// The first of them loads the reader of kubeconfigs, which a busy machine takes its time for.
describe('doctor', { timeout: 30_000 }, () => {
  const ok = (body: unknown): Answer => ({ status: 200, body });
  const allowed = (yes: boolean): Answer => ({ status: 201, body: { status: { allowed: yes } } });
  const own = 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const others = 'POST /apis/authorization.k8s.io/v1/subjectaccessreviews';
  const healthy: Record<string, Answer | (() => Answer)> = {
    'GET /version': ok({ major: '1', minor: '35+', gitVersion: 'v1.35.0' }),
    'GET /api/v1/namespaces/jobs': ok({}),
    'GET /api/v1/namespaces/jobs/serviceaccounts/flink': ok({}),
    'GET /api/v1/namespaces/jobs/resourcequotas': ok({ items: [] }),
    'GET /api/v1/namespaces/jobs/limitranges': ok({ items: [] }),
    [own]: allowed(true),
    [others]: allowed(true),
  };
  let changed: Record<string, Answer | (() => Answer)> = {};
  let kubernetes: Awaited<ReturnType<typeof fakeKubernetes>>;
  let folder: string;
  let config: string;

  beforeEach(async () => {
    changed = {};
    kubernetes = await fakeKubernetes(new Proxy(healthy, { get: (all, key: string) => changed[key] ?? all[key] }));
    folder = mkdtempSync(join(tmpdir(), 'doctor-'));
    config = join(folder, 'dispatch.yml');
    const access = { kind: 'kubeconfig', path: kubernetes.env.KUBECONFIG };
    const resource = { cpu: 1, memory: '1g' };
    writeFileSync(
      config,
      stringify({
        targets: { main: { namespace: 'jobs', access } },
        defaults: { serviceAccount: 'flink', jobManager: { resource }, taskManager: { resource } },
      }),
    );
  });
  afterEach(() => {
    kubernetes.close();
    rmSync(folder, { recursive: true });
  });

  /** The fake server writes the real time into its answers. */
  async function doctor(...args: string[]): Promise<{ code: number; io: FakeIo; checks: readonly Check[] }> {
    const base = fakeIo({});
    const io = { ...base, clock: { ...base.clock, now: () => Date.now() } };
    const code = await main(['doctor', '--config', config, '--json', ...args], io, '0');
    const checks = io.stdout() === '' ? [] : (JSON.parse(io.stdout()) as { checks: Check[] }).checks;
    return { code, io, checks };
  }

  const failedOf = (checks: readonly Check[]): string[] =>
    checks.filter(({ state }) => state === 'failed').map(({ name }) => name);

  it('finds nothing on a target that has everything', async () => {
    const { code, checks } = await doctor();
    expect(checks.map(({ name, state }) => [name, state])).toEqual(
      [
        'connection',
        'version',
        'clock',
        'rest',
        'start',
        'namespace',
        'permissions',
        'service account',
        'flink',
        'quota',
        'limits',
      ].map((name) => [name, 'ok']),
    );
    expect(code).toBe(0);
  });

  const quota = {
    metadata: { name: 'q' },
    status: { hard: { 'requests.cpu': '4' }, used: { 'requests.cpu': '2500m' } },
  };
  const limit = { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', max: { memory: '512Mi' } }] } };
  it.each<[string, Record<string, Answer>, string, string]>([
    [
      'namespace',
      { 'GET /api/v1/namespaces/jobs': { status: 404, body: {} } },
      'no such namespace',
      'create namespace jobs',
    ],
    ['permissions', { [own]: allowed(false) }, 'create deployments', '--namespace jobs -k infra/kubernetes/rbac'],
    [
      'service account',
      { 'GET /api/v1/namespaces/jobs/serviceaccounts/flink': { status: 404, body: {} } },
      'flink',
      'serviceAccount',
    ],
    ['flink', { [others]: allowed(false) }, 'watch pods', 'infra/kubernetes/rbac'],
    [
      'quota',
      { 'GET /api/v1/namespaces/jobs/resourcequotas': ok({ items: [quota] }) },
      'leaves 1.5 requests.cpu',
      'ResourceQuota',
    ],
    ['limits', { 'GET /api/v1/namespaces/jobs/limitranges': ok({ items: [limit] }) }, '512Mi of memory', 'LimitRange'],
    ['version', { 'GET /version': ok({ minor: '21', gitVersion: 'v1.21.3' }) }, 'v1.21.3', 'upgrade'],
    ['connection', { 'GET /version': { status: 401, body: {} } }, 'credentials', 'access'],
  ])('fails for %s, names the cause and the fix', async (name, answers, message, fix) => {
    changed = answers;
    const { code, checks } = await doctor();
    expect(code).toBe(1);
    expect(failedOf(checks)).toEqual([name]);
    const check = checks.find((one) => one.name === name);
    expect(check?.message).toContain(message);
    expect(check?.fix).toContain(fix);
  });

  it('says how much of a quota is used', async () => {
    const roomy = { ...quota, status: { ...quota.status, hard: { 'requests.cpu': '40', pods: '10' } } };
    changed = { 'GET /api/v1/namespaces/jobs/resourcequotas': ok({ items: [roomy] }) };
    const { checks } = await doctor();
    expect(checks.find(({ name }) => name === 'quota')?.message).toBe(
      'room for a run of the defaults; used: requests.cpu 2500m of 40, pods 0 of 10',
    );
  });

  it('says so where it may not look, and fails for none of it', async () => {
    const forbidden = { status: 403, body: { kind: 'Status', message: 'forbidden' } };
    const read = ['', '/serviceaccounts/flink', '/resourcequotas', '/limitranges'];
    changed = { [others]: forbidden };
    for (const path of read) changed[`GET /api/v1/namespaces/jobs${path}`] = forbidden;
    const { code, checks } = await doctor();
    expect(code).toBe(0);
    expect(checks.filter(({ state }) => state === 'unknown')).toHaveLength(5);
  });

  it('fails for a target that gives no answer', async () => {
    kubernetes.close();
    const { code, checks } = await doctor();
    kubernetes = await fakeKubernetes(healthy);
    expect(code).toBe(1);
    expect(failedOf(checks)).toEqual(['connection']);
  });

  it('prints a table, and below it what to do', async () => {
    changed = { [own]: allowed(false) };
    const io = fakeIo({});
    const now = (): number => Date.now();
    expect(await main(['doctor', '--config', config], { ...io, clock: { ...io.clock, now } }, '0')).toBe(1);
    expect(io.stdout()).toMatch(/^TARGET +NAMESPACE +CHECK +STATE +SEEN\n/);
    expect(io.stdout()).toContain('main jobs permissions: kubectl apply');
  });

  it.each([
    [['--target', 'other'], "no target 'other': main"],
    [['argument'], 'no arguments'],
  ])('does not understand %j', async (args, message) => {
    const { code, io } = await doctor(...args);
    expect(code).toBe(2);
    expect(io.stderr()).toContain(message);
  });
});
