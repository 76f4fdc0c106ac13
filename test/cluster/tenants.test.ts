import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { apiOfKubeconfig, must } from '../contract/support/kubernetes.ts';
import { kubectl } from './support/lab.ts';
import { apiAs } from './support/service-account.ts';

/** The manifests of infra/kubernetes/tenant for a namespace of another name, as its first comment says. */
async function makeTenant(namespace: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-tenant-'));
  try {
    const shipped = await kubectl('kustomize', 'infra/kubernetes/tenant');
    const renamed = parseAllDocuments(shipped).map((document) => {
      const text = stringify(document.toJS()).replaceAll(/^(\s*namespace:) flink$/gm, `$1 ${namespace}`);
      return text.includes('kind: Namespace') ? text.replace(/^ {2}name: flink$/m, `  name: ${namespace}`) : text;
    });
    writeFileSync(join(folder, 'tenant.yaml'), renamed.join('---\n'));
    await kubectl('apply', '-f', join(folder, 'tenant.yaml'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const container = { name: 'main', image: 'localhost/pause:1' };

function pod(name: string, spec: object): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [container], ...spec } };
}

/** What a program can do is what its service account can, and what its namespace lets be made. */
describe('two tenants of infra/kubernetes/tenant', () => {
  const run = Date.now().toString(36);
  const [ours, theirs] = [`tenant-a-${run}`, `tenant-b-${run}`];
  let admin: KubernetesApi;
  let program: KubernetesApi;
  let dispatcher: KubernetesApi;

  beforeAll(async () => {
    admin = await apiOfKubeconfig();
    await Promise.all([makeTenant(ours), makeTenant(theirs)]);
    [program, dispatcher] = await Promise.all([apiAs(admin, ours, 'flink'), apiAs(admin, ours, 'flink-dispatch')]);
  });
  afterAll(() => kubectl('delete', 'namespace', ours, theirs, '--wait=false'));

  it.each([
    ['list pods', 'GET', 'api/v1', 'pods'],
    ['make pods', 'POST', 'api/v1', 'pods'],
    ['read ConfigMaps', 'GET', 'api/v1', 'configmaps'],
    ['read Secrets', 'GET', 'api/v1', 'secrets'],
    ['remove pods', 'DELETE', 'api/v1', 'pods/x'],
    ['make Deployments', 'POST', 'apis/apps/v1', 'deployments'],
    ['reach REST APIs', 'GET', 'api/v1', 'services/x-rest:8081/proxy/jobs'],
  ] as const)(
    'lets neither the program nor the dispatcher of one %s of the other',
    async (_what, method, group, rest) => {
      const path = `/${group}/namespaces/${theirs}/${rest}`;
      const body = method === 'POST' ? { body: pod('x', {}) } : {};
      for (const who of [program, dispatcher]) expect((await who.request({ method, path, ...body })).status).toBe(403);
    },
  );

  it.each([
    [
      'is privileged',
      { containers: [{ ...container, securityContext: { privileged: true } }] },
      /violates PodSecurity/,
    ],
    ['mounts the host', { volumes: [{ name: 'h', hostPath: { path: '/' } }] }, /violates PodSecurity/],
    ['is in the network of the host', { hostNetwork: true }, /violates PodSecurity/],
    ['is larger than any may be', { containers: [sized('100')] }, /maximum cpu usage per Pod/],
  ])('lets a program make no pod that %s', async (_what, spec, why) => {
    const answer = await program.request({
      method: 'POST',
      path: `/api/v1/namespaces/${ours}/pods`,
      body: pod('x', spec),
    });
    expect(answer).toMatchObject({ status: 403, body: { message: expect.stringMatching(why) as string } });
  });

  it('bounds a container that says nothing of itself, and all of them together', async () => {
    const path = `/api/v1/namespaces/${ours}/pods`;
    const made = await must(program, { method: 'POST', path, body: pod('small', {}) });
    expect(made).toMatchObject({ spec: { containers: [{ resources: { limits: { cpu: '1', memory: '1Gi' } } }] } });
    const tries = ['a', 'b', 'c'].map((name) => pod(name, { containers: [sized('15')] }));
    const statuses: number[] = [];
    for (const body of tries) statuses.push((await program.request({ method: 'POST', path, body })).status);
    expect(statuses).toEqual([201, 201, 403]);
    await must(program, { method: 'DELETE', path: `${path}/small` });
  });

  it('opens no port to the outside, whoever asks', async () => {
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] };
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'open' }, spec };
    const answer = await dispatcher.request({ method: 'POST', path: `/api/v1/namespaces/${ours}/services`, body });
    expect(answer).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('exceeded quota') as string },
    });
  });
});

function sized(cpu: string): object {
  return { ...container, resources: { requests: { cpu, memory: '1Mi' }, limits: { cpu, memory: '1Gi' } } };
}
