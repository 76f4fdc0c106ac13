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
const TAKEN = failure(409, 'AlreadyExists', 'already exists');

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function clustersAt(answer: Answer) {
  server = await scriptedServer(answer);
  return { clusters: createClusters(createKubernetesApi(connectionTo(server.url))), seen: server.seen };
}

interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly details?: object;
  readonly reason: string;
  readonly field?: string;
}

describe('apply', () => {
  it('creates the Deployment with its marks, then all that it owns', async () => {
    const { clusters, seen } = await clustersAt((_seen, response) => json(response, 201, { metadata: { uid: 'u1' } }));
    expect(await clusters.apply(cluster, owner)).toBe('created');
    expect(seen.map(({ url }) => url.pathname)[0]).toBe('/apis/apps/v1/namespaces/n/deployments');
    expect(seen[0]?.body).toMatchObject({
      metadata: {
        labels: {
          app: 'c',
          'app.kubernetes.io/name': 'flink',
          'app.kubernetes.io/instance': 'c',
          'app.kubernetes.io/component': 'jobmanager',
          'app.kubernetes.io/managed-by': 'flink-dispatch',
        },
        annotations: { 'flink-dispatch.io/run-id': owner.runId, 'flink-dispatch.io/attempt': '2' },
      },
    });
    expect(seen).toHaveLength(4);
    for (const { body } of seen.slice(1))
      expect(body).toMatchObject({ metadata: { ownerReferences: [{ uid: 'u1' }] } });
  });

  it.each([
    { status: 403, message: 'exceeded quota: q, requested: count=1', reason: 'QuotaExceeded' },
    { status: 403, message: 'User "u" cannot create resource "deployments"', reason: 'PermissionDenied' },
    { status: 403, message: 'admission webhook "policy" denied the request', reason: 'InvalidConfiguration' },
    {
      ...{ status: 404, message: 'namespaces "n" not found', details: { kind: 'namespaces' } },
      ...{ reason: 'NamespaceMissing', field: 'namespace' },
    },
    { status: 401, message: 'Unauthorized', reason: 'PermissionDenied' },
    {
      ...{ status: 422, message: 'is invalid', details: { causes: [{ field: 'spec.replicas' }] } },
      ...{ reason: 'InvalidConfiguration', field: 'spec.replicas' },
    },
    { status: 500, message: 'etcd', reason: 'ClusterUnavailable' },
  ] as readonly Refusal[])(
    'turns $status $message into $reason',
    async ({ status, message, details, reason, field }) => {
      const { clusters } = await clustersAt((_s, response) =>
        json(response, status, failure(status, 'x', message, details)),
      );
      await expect(clusters.apply(cluster, owner)).rejects.toMatchObject({
        reason,
        field,
        message: expect.stringContaining(message) as string,
      });
    },
  );

  it('says how long an overloaded server asks to wait', async () => {
    const { clusters } = await clustersAt((_s, response) => json(response, 429, 'busy', { 'retry-after': '3' }));
    await expect(clusters.apply(cluster, owner)).rejects.toMatchObject({ reason: 'ClusterUnavailable', retryAfter: 3 });
  });

  const standing = (change: object) => ({
    metadata: {
      uid: 'u1',
      annotations: { 'flink-dispatch.io/run-id': owner.runId, 'flink-dispatch.io/attempt': '2' },
      ...change,
    },
  });

  it('finds its own Deployment that has filled the quota, and is refused when there is none', async () => {
    const quota = failure(403, 'Forbidden', 'deployments.apps "c" is forbidden: exceeded quota: q');
    let found: object | undefined = standing({});
    const { clusters, seen } = await clustersAt(({ method, url }, response) => {
      if (!url.pathname.includes('/deployments')) json(response, 201, { metadata: { uid: 'u2' } });
      else if (method === 'POST') json(response, 403, quota);
      else if (found === undefined) json(response, 404, failure(404, 'NotFound', 'none'));
      else json(response, 200, found);
    });
    expect(await clusters.apply(cluster, owner)).toBe('created');
    expect(seen.at(-1)?.body).toMatchObject({ metadata: { ownerReferences: [{ uid: 'u1' }] } });
    found = undefined;
    await expect(clusters.apply(cluster, owner)).rejects.toMatchObject({ reason: 'QuotaExceeded' });
  });

  it('waits for a Deployment of its own that is being deleted', async () => {
    const { clusters } = await clustersAt(({ method }, response) =>
      method === 'POST'
        ? json(response, 409, TAKEN)
        : json(response, 200, standing({ deletionTimestamp: '2026-01-01T00:00:00Z' })),
    );
    await expect(clusters.apply(cluster, owner)).rejects.toMatchObject({ reason: 'ClusterUnavailable', retryAfter: 1 });
  });

  it('waits when the Deployment that took the name is gone', async () => {
    const { clusters } = await clustersAt(({ method }, response) =>
      method === 'POST' ? json(response, 409, TAKEN) : json(response, 404, failure(404, 'NotFound', 'gone')),
    );
    await expect(clusters.apply(cluster, owner)).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      retryable: true,
    });
  });

  it('replaces what an earlier cluster of the name left, and leaves alone what is of no cluster', async () => {
    const leftOver = { uid: 'old', ownerReferences: [{ kind: 'Deployment', name: 'c', uid: 'u0' }] };
    let owners: object = leftOver;
    const tried = new Set<string>();
    const { clusters, seen } = await clustersAt(({ method, url }, response) => {
      const first = !tried.has(url.pathname);
      if (method === 'POST') tried.add(url.pathname);
      if (method === 'POST' && url.pathname.endsWith('/configmaps') && first) json(response, 409, TAKEN);
      else if (method === 'GET') json(response, 200, { metadata: owners });
      else json(response, 200, { metadata: { uid: 'u1' } });
    });
    expect(await clusters.apply(cluster, owner)).toBe('created');
    expect(seen.find(({ method }) => method === 'DELETE')?.body).toMatchObject({ preconditions: { uid: 'old' } });
    tried.clear();
    owners = { uid: 'foreign' };
    await expect(clusters.apply(cluster, owner)).rejects.toMatchObject({
      reason: 'ClusterNameTaken',
      message: expect.stringContaining('ConfigMap flink-config-c') as string,
    });
  });
});

describe('remove', () => {
  it('leaves high-availability metadata while a JobManager could write it anew', async () => {
    let pods = [{ metadata: { name: 'jm', labels: { component: 'jobmanager' }, ownerReferences: [{}] } }];
    const { clusters, seen } = await clustersAt(({ method, url }, response) => {
      if (method === 'DELETE') json(response, 200, {});
      else if (url.pathname.endsWith('/deployments/c')) json(response, 404, failure(404, 'NotFound', 'no'));
      else if (url.pathname.endsWith('/pods')) json(response, 200, { items: pods });
      else json(response, 200, { items: [{ metadata: { name: 'ha', uid: 'h' } }] });
    });
    await clusters.remove(ref, { highAvailability: true });
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
    pods = [];
    await clusters.remove(ref, { highAvailability: true });
    expect(seen.at(-1)).toMatchObject({ method: 'DELETE', url: { pathname: '/api/v1/namespaces/n/configmaps/ha' } });
  });

  it('removes TaskManagers that nobody would collect', async () => {
    const orphan = { metadata: { name: 'tm', uid: 'p', labels: { component: 'taskmanager' } } };
    const { clusters, seen } = await clustersAt(({ url }, response) => {
      if (url.pathname.endsWith('/deployments/c')) json(response, 404, failure(404, 'NotFound', 'no'));
      else json(response, 200, { items: url.pathname.endsWith('/pods') ? [orphan] : [] });
    });
    await clusters.remove(ref, { highAvailability: false });
    expect(seen.at(-1)).toMatchObject({ method: 'DELETE', body: { preconditions: { uid: 'p' } } });
  });

  it('deletes the Deployment that it saw, in the foreground', async () => {
    const { clusters, seen } = await clustersAt((_s, response) => json(response, 200, { metadata: { uid: 'u1' } }));
    await clusters.remove(ref, { highAvailability: true });
    expect(seen.at(-1)?.body).toMatchObject({ propagationPolicy: 'Foreground', preconditions: { uid: 'u1' } });
  });
});

describe('remains', () => {
  it('names all pages of every kind, and takes a refused look at Secrets for none', async () => {
    const { clusters } = await clustersAt(({ url }, response) => {
      const page = url.searchParams.get('continue');
      if (url.pathname.endsWith('/secrets')) json(response, 403, failure(403, 'Forbidden', 'cannot list'));
      else if (!url.pathname.endsWith('/pods')) json(response, 200, { items: [] });
      else if (page === null)
        json(response, 200, { metadata: { continue: 'x' }, items: [{ metadata: { name: 'p1' } }] });
      else json(response, 200, { metadata: {}, items: [{ metadata: { name: 'p2' } }] });
    });
    expect(await clusters.remains(ref)).toEqual(['Pod/p1', 'Pod/p2']);
  });

  it('counts a standalone cluster whose Deployment of TaskManagers has another uid than the one that is meant', async () => {
    const taskManagers = { name: 'c-taskmanager', uid: 'u2', ownerReferences: [{ uid: 'u1' }] };
    const { clusters } = await clustersAt(({ url }, response) => {
      const deployments = [{ metadata: taskManagers }, { metadata: { name: 'c', uid: 'u1' } }];
      json(response, 200, { items: url.pathname.endsWith('/deployments') ? deployments : [] });
    });
    const left = await clusters.remains(ref, { highAvailability: true, uid: 'u1', owner });
    expect(left).toEqual(['Deployment/c-taskmanager', 'Deployment/c']);
  });

  it('proves nothing when a look is refused', async () => {
    const { clusters } = await clustersAt((_s, response) =>
      json(response, 403, failure(403, 'Forbidden', 'cannot list')),
    );
    await expect(clusters.remains(ref)).rejects.toMatchObject({ reason: 'PermissionDenied' });
  });
});

describe('tail', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(1000)}\n`);
  const serveLog: Answer = ({ url: { searchParams } }, response) => {
    const tail = lines.slice(-Number(searchParams.get('tailLines'))).join('');
    response.end(tail.slice(0, Number(searchParams.get('limitBytes'))));
  };

  it('gives the end of a log of long lines, whole lines, within the bytes', async () => {
    const { clusters, seen } = await clustersAt(serveLog);
    const { text } = await clusters.tail(ref, 'p', { container: 'c', bytes: 10_000, previous: true });
    expect(text.endsWith(lines.at(-1) ?? '')).toBe(true);
    expect(text.length).toBeGreaterThan(5_000);
    expect(text.length).toBeLessThanOrEqual(10_000);
    expect(text).toMatch(/^\d+ x/);
    expect(seen[0]?.url.searchParams.get('previous')).toBe('true');
  });

  it.each([404, 400])('is empty where there is none: %i', async (status) => {
    const { clusters } = await clustersAt((_s, response) =>
      json(response, status, failure(status, 'BadRequest', 'waiting')),
    );
    const tail = await clusters.tail(ref, 'p', { container: 'c', bytes: 100, previous: false });
    expect(tail).toEqual({ pod: 'p', container: 'c', text: '' });
  });
});

describe('a right of a service account', () => {
  const right = { namespace: 'n', account: 'flink', verb: 'get', group: 'apps', resource: 'deployments/status' };

  it.each([
    [201, { status: { allowed: true } }, true],
    [201, { status: { allowed: false } }, false],
    [403, failure(403, 'Forbidden', 'cannot create resource "localsubjectaccessreviews"'), undefined],
    [404, failure(404, 'NotFound', 'none'), undefined],
    [201, 'yes', undefined],
  ])('is what the API server says of it: %i %j', async (status, body, expected) => {
    const { clusters, seen } = await clustersAt((_s, response) => json(response, status, body));
    expect(await clusters.hasRight(right)).toBe(expected);
    expect(seen[0]?.url.pathname).toBe('/apis/authorization.k8s.io/v1/namespaces/n/localsubjectaccessreviews');
    expect(seen[0]?.body).toMatchObject({
      metadata: { namespace: 'n' },
      spec: {
        user: 'system:serviceaccount:n:flink',
        resourceAttributes: {
          namespace: 'n',
          verb: 'get',
          group: 'apps',
          resource: 'deployments',
          subresource: 'status',
        },
      },
    });
  });
});

describe('what an earlier cluster of the name has left behind', () => {
  const map = (name: string, owner?: string) => ({
    metadata: { name, uid: `uid-of-${name}`, ...(owner && { ownerReferences: [{ uid: owner }] }) },
  });
  const removed = async (maps: readonly object[]): Promise<readonly unknown[]> => {
    const { clusters, seen } = await clustersAt((_s, response) => json(response, 200, { items: maps }));
    await clusters.removeLeftovers(ref, 'u1');
    const deletions = seen.filter(({ method }) => method === 'DELETE');
    return deletions.map(({ url, body }) => [url.pathname.split('/').at(-1), body]);
  };

  it('goes before a JobManager can read it', async () => {
    expect(await removed([map('c-cluster-config-map'), map('flink-config-c', 'an earlier one')])).toEqual([
      ['c-cluster-config-map', expect.objectContaining({ preconditions: { uid: 'uid-of-c-cluster-config-map' } })],
    ]);
  });

  it('is what its own JobManager keeps, once that may have started', async () => {
    expect(await removed([map('c-cluster-config-map'), map('flink-config-c', 'u1')])).toEqual([]);
  });
});
