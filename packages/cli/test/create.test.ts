import { describe, expect, it } from 'vitest';
import { createCluster, type NewCluster } from '../src/clusters/create.ts';
import type { ApiRequest, ApiResponse, KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { parseClusterId } from '../../../lib/core/ids.ts';

const owner = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'a',
  controller: true,
  blockOwnerDeletion: true,
} as never;
const CLUSTER: NewCluster = {
  clusterId: parseClusterId('a'),
  namespace: 'jobs',
  owner: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } },
  dependents: [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'flink-config-a', ownerReferences: [owner] } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a-rest', ownerReferences: [owner] } },
  ],
};

function fakeApi(answers: Record<string, Partial<ApiResponse> | Error>): KubernetesApi & { sent: ApiRequest[] } {
  const sent: ApiRequest[] = [];
  return {
    sent,
    request(request) {
      sent.push(request);
      const answer = answers[`${request.method} ${request.path.split('/').at(-1) ?? ''}`];
      if (answer instanceof Error) return Promise.reject(answer);
      const body = { metadata: { uid: 'u-1' } };
      return Promise.resolve({ status: request.method === 'POST' ? 201 : 200, body, ...answer });
    },
  };
}

describe('createCluster', () => {
  it('creates the Deployment, then what it owns', async () => {
    const api = fakeApi({});
    await createCluster(api, CLUSTER);
    expect(api.sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /apis/apps/v1/namespaces/jobs/deployments',
      'POST /api/v1/namespaces/jobs/configmaps',
      'POST /api/v1/namespaces/jobs/services',
    ]);
    expect(api.sent[0]?.body).toBe(CLUSTER.owner);
    expect(api.sent[1]?.body).toMatchObject({ metadata: { ownerReferences: [{ uid: 'u-1', name: 'a' }] } });
  });

  it('creates nothing when there is such a cluster', async () => {
    const api = fakeApi({ 'POST deployments': { status: 409 } });
    await expect(createCluster(api, CLUSTER)).rejects.toMatchObject({
      reason: 'ClusterNameTaken',
      field: 'kubernetes.cluster-id',
      message: expect.stringContaining("'a' already exists in namespace jobs") as string,
    });
    expect(api.sent).toHaveLength(1);
  });

  it.each<[string, Partial<ApiResponse> | Error]>([
    ['a refusal', { status: 422, body: { kind: 'Status', message: 'spec.ports: Invalid value' } }],
    ['silence', new Error('no answer')],
  ])('removes the Deployment again after %s', async (_what, answer) => {
    const api = fakeApi({ 'POST services': answer });
    await expect(createCluster(api, CLUSTER)).rejects.toThrow(answer instanceof Error ? 'no answer' : 'spec.ports');
    expect(api.sent.at(-1)).toMatchObject({
      method: 'DELETE',
      path: '/apis/apps/v1/namespaces/jobs/deployments/a',
      body: { preconditions: { uid: 'u-1' }, propagationPolicy: 'Background' },
    });
  });

  it('says so when that fails too', async () => {
    const api = fakeApi({ 'POST services': new Error('first'), 'DELETE a': { status: 500 } });
    await expect(createCluster(api, CLUSTER)).rejects.toThrow(
      /first; and Deployment jobs\/a could not be removed again, so remove it: .*status 500/,
    );
  });
});
