import type { V1Secret } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { smallCluster } from '../fakes/flink-cluster.ts';
import { connectionTo, failure, json, scriptedServer, type Answer, type ScriptedServer } from './api-server.ts';
import { ownerOf } from '../fakes/ids.ts';

const cluster = smallCluster({ clusterId: 'c', namespace: 'n', image: 'flink' });
const owner = ownerOf('a'.repeat(20), 2);
const ref = { namespace: 'n', clusterId: parseClusterId('c') };
const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'c' };
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'flink-jar-c', ownerReferences: [reference] },
  data: { url: 'dQ==' },
} as unknown as V1Secret;
const TAKEN = failure(409, 'AlreadyExists', 'already exists');
const SECRETS = '/api/v1/namespaces/n/secrets';
const OURS = {
  uid: 'u1',
  annotations: { 'flink-dispatch.io/run-id': owner.runId, 'flink-dispatch.io/attempt': '2' },
};

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function clustersAt(answer: Answer) {
  server = await scriptedServer(answer);
  const { seen } = server;
  const clusters = createClusters(createKubernetesApi(connectionTo(server.url)));
  return { clusters, asked: () => seen.map(({ method, url }) => `${method} ${url.pathname}`), seen };
}

describe('a Secret of a cluster', () => {
  const withIt = { ...cluster, dependents: [secret] };

  it('is created with the uid of its Deployment', async () => {
    const { clusters, seen } = await clustersAt((_seen, response) => json(response, 201, { metadata: { uid: 'u1' } }));
    await clusters.apply(withIt, owner);
    expect(seen.at(-1)?.body).toMatchObject({ metadata: { ownerReferences: [{ ...reference, uid: 'u1' }] } });
  });

  it('is written over and never read: whoever may read Secrets reads all of them', async () => {
    const { clusters, asked } = await clustersAt(({ method, url }, response) => {
      if (method === 'POST' && url.pathname === SECRETS) return json(response, 409, TAKEN);
      json(response, method === 'POST' ? 201 : 200, { metadata: { uid: 'u1' } });
    });
    await clusters.apply(withIt, owner);
    expect(asked().filter((line) => line.includes('secrets'))).toEqual([
      `POST ${SECRETS}`,
      `PATCH ${SECRETS}/flink-jar-c`,
    ]);
  });

  it('does not come back with the answer to a patch', async () => {
    const { clusters, seen } = await clustersAt(({ method }, response) => {
      if (method === 'POST') return json(response, 409, TAKEN);
      json(response, 200, { metadata: OURS });
    });
    await clusters.renew(ref, owner, [secret]);
    const patch = seen.find(({ method, url }) => method === 'PATCH' && url.pathname.startsWith(SECRETS));
    expect(patch?.headers.accept).toContain('as=PartialObjectMetadata');
  });
});

describe('renew', () => {
  it("writes over what is there, as the owner's", async () => {
    const { clusters, asked, seen } = await clustersAt((_seen, response) => json(response, 200, { metadata: OURS }));
    expect(await clusters.renew(ref, owner, [secret])).toBe('renewed');
    expect(asked()).toEqual(['GET /apis/apps/v1/namespaces/n/deployments/c', `PATCH ${SECRETS}/flink-jar-c`]);
    expect(seen.at(-1)?.headers['content-type']).toBe('application/merge-patch+json');
    expect(JSON.parse(String(seen.at(-1)?.body))).toMatchObject({
      data: { url: 'dQ==' },
      metadata: { ownerReferences: [{ uid: 'u1' }] },
    });
  });

  it('makes anew what somebody removed', async () => {
    const { clusters, asked } = await clustersAt((one, response) => {
      if (one.method === 'PATCH') return json(response, 404, failure(404, 'NotFound', 'not found'));
      json(response, one.method === 'POST' ? 201 : 200, { metadata: OURS });
    });
    expect(await clusters.renew(ref, owner, [secret])).toBe('renewed');
    expect(asked().at(-1)).toBe(`POST ${SECRETS}`);
  });

  it.each([
    ['another owner', { ...OURS, annotations: { ...OURS.annotations, 'flink-dispatch.io/attempt': '3' } }],
    ['a cluster that goes', { ...OURS, deletionTimestamp: '2026-11-21T06:00:00Z' }],
  ])('writes nothing for %s', async (_what, metadata) => {
    const { clusters, asked } = await clustersAt((_seen, response) => json(response, 200, { metadata }));
    expect(await clusters.renew(ref, owner, [secret])).toBe('absent');
    expect(asked()).toHaveLength(1);
  });

  it('says what the Role lacks', async () => {
    const { clusters } = await clustersAt((one, response) => {
      const said = 'User "u" cannot patch resource "secrets"';
      if (one.method === 'PATCH') return json(response, 403, failure(403, 'Forbidden', said));
      json(response, 200, { metadata: OURS });
    });
    await expect(clusters.renew(ref, owner, [secret])).rejects.toMatchObject({ reason: 'PermissionDenied' });
  });
});
