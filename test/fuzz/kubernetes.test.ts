import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiRequest, ApiResponse, KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { statusError } from '../../lib/kubernetes/api/status-error.ts';
import { withStartPermit } from '../../lib/kubernetes/cluster/start-permit.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import type { FlinkCluster } from '../../lib/flink/cluster.ts';
import { stepErrorWait } from '../../lib/run/intervals.ts';
import { holds } from './hold.ts';
import { nearJson } from './mutate.ts';
import { ownerOf } from '../fakes/ids.ts';

interface Recording {
  readonly deployment: unknown;
  readonly pods: readonly unknown[];
  readonly events: readonly unknown[];
}

const FIXTURES = new URL('../fixtures/kubernetes/', import.meta.url);
const recordings = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('facts.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as Recording);

const clusterId = parseClusterId('a');
const ref: ClusterRef = { namespace: 'flink', clusterId };
const owner = ownerOf('0123456789abcdef0123');
const labels = { app: clusterId, type: 'flink-native-kubernetes' };

/** As Kubernetes refuses and fails. */
const STATUSES = [
  [403, 'Forbidden', 'deployments.apps "a" is forbidden: exceeded quota: room, requested: pods=1, used: pods=5'],
  [403, 'Forbidden', 'deployments.apps is forbidden: User "x" cannot create resource "deployments"'],
  [404, 'NotFound', 'namespaces "flink" not found'],
  [409, 'AlreadyExists', 'deployments.apps "a" already exists'],
  [410, 'Expired', 'The provided continue parameter is too old'],
  [422, 'Invalid', 'Deployment.apps "a" is invalid: spec.template: Required value'],
  [429, 'TooManyRequests', 'too many requests, please try again later'],
  [500, 'InternalError', 'etcdserver: leader changed'],
].map(([code, reason, message]) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason,
  message,
  code,
  details: {
    name: 'a',
    kind: code === 404 ? 'namespaces' : 'deployments',
    causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.template' }],
    retryAfterSeconds: 1,
  },
}));

/** Everything that is asked for, as it was recorded or would be. */
const ANSWERS: readonly unknown[] = [
  ...recordings.flatMap(({ deployment, pods, events }) => [
    deployment,
    { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: pods },
    { kind: 'EventList', apiVersion: 'v1', metadata: { continue: '', resourceVersion: '1' }, items: events },
  ]),
  ...STATUSES,
  {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: {
      name: `start-permit-${clusterId}`,
      uid: 'a',
      labels,
      annotations: { 'flink-dispatch.io/run-id': owner.runId, 'flink-dispatch.io/attempt': '1' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: clusterId, uid: 'b' }],
    },
    data: { start: 'granted' },
  },
  'container "flink-main-container" in pod "a-x" is waiting to start: PodInitializing',
  '<html><body>Please log in</body></html>',
];

const CLUSTER: FlinkCluster = withStartPermit({
  namespace: 'flink',
  clusterId,
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: clusterId, labels } },
  configuration: {},
  dependents: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `flink-config-${clusterId}`, labels, ownerReferences: [] },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'jar-a', labels, ownerReferences: [] } },
  ],
});

const code = fc.constantFrom(200, 200, 200, 200, 201, 202, 204, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503);
const answer = fc.tuple(code, nearJson(ANSWERS));
const script = fc.array(answer, { minLength: 1, maxLength: 10 });

/** Answers as the script has it, over and over. */
function scripted(list: readonly (readonly [number, string])[]): KubernetesApi & { readonly asked: ApiRequest[] } {
  const asked: ApiRequest[] = [];
  return {
    asked,
    request(request): Promise<ApiResponse> {
      const [status, text] = list[asked.push(request) % list.length] ?? [200, '{}'];
      return Promise.resolve({ status, body: JSON.parse(text) as unknown });
    },
  };
}

describe("an API server's answers of any shape", () => {
  it.each<[string, (api: KubernetesApi) => Promise<unknown>]>([
    ['lead to a cluster or to a refusal', (api) => createClusters(api).apply(CLUSTER, owner)],
    ['are facts', (api) => createClusters(api).observe(ref)],
    ['let a cluster be removed', (api) => createClusters(api).remove(ref, { highAvailability: true, owner })],
    ['tell what remains', (api) => createClusters(api).remains(ref, { highAvailability: false, uid: 'a' })],
    ['list clusters', (api) => createClusters(api).list('flink')],
    ['withdraw a permit', (api) => createClusters(api).revoke(ref, owner)],
    ['let leftovers be removed', (api) => createClusters(api).removeLeftovers(ref, 'a')],
    [
      'tell of a right',
      (api) =>
        createClusters(api).hasRight({ namespace: 'flink', account: 'a', verb: 'get', group: '', resource: 'pods' }),
    ],
    ['renew what pods read', (api) => createClusters(api).renew(ref, owner, CLUSTER.dependents)],
    ['are logs', (api) => createClusters(api).tail(ref, 'a-x', { container: 'a', bytes: 4096, previous: false })],
    [
      'are those of a JobManager behind them',
      (api) => createRestTransport(api, ref, { kind: 'service-proxy' })({ method: 'GET', path: '/overview' }),
    ],
  ])('%s', async (_, call) => {
    await holds(script, async (list) => {
      const api = scripted(list);
      try {
        await call(api);
      } finally {
        // However a list goes on.
        expect(api.asked.length).toBeLessThan(2_000);
      }
    });
  });

  it('give waits that a queue takes', async () => {
    await holds(fc.tuple(code, nearJson(STATUSES)), ([status, text]) => {
      const asked = { verb: 'create', resource: 'deployments/a', namespace: 'flink' };
      const { retryAfter } = statusError({ status, body: JSON.parse(text) as unknown }, asked);
      const wait = stepErrorWait(1, retryAfter);
      expect(wait).toBeGreaterThanOrEqual(1_000);
      expect(wait).toBeLessThanOrEqual(15 * 60_000);
    });
  });
});

describe('an answer that is no list', () => {
  const all = (body: unknown): KubernetesApi => ({ request: () => Promise.resolve({ status: 200, body }) });

  it.each([
    ['<html></html>'],
    [undefined],
    [null],
    [{}],
    [[]],
    [{ items: {} }],
    [{ items: [null] }],
    [{ items: null }],
  ])('does not prove that nothing is there: %j', async (body) => {
    const refusal = { reason: 'ClusterUnavailable' };
    await expect(createClusters(all(body)).remains(ref)).rejects.toMatchObject(refusal);
    await expect(createClusters(all(body)).remove(ref, { highAvailability: true })).rejects.toMatchObject(refusal);
    await expect(createClusters(all(body)).observe(ref)).rejects.toMatchObject(refusal);
    await expect(createClusters(all(body)).list('flink')).rejects.toMatchObject(refusal);
  });

  it('is an empty one when it says that it is a list', async () => {
    const empty = all({ kind: 'PartialObjectMetadataList', metadata: {}, items: null });
    expect(await createClusters(empty).remains(ref)).toEqual([]);
  });

  it('or one without an end is given up', async () => {
    const pages = all({ kind: 'PodList', metadata: { continue: 'more' }, items: [] });
    await expect(createClusters(pages).remains(ref)).rejects.toMatchObject({ reason: 'ClusterUnavailable' });
  });
});
