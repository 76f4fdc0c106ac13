import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiRequest, ApiResponse } from '../../lib/kubernetes/api/api.ts';
import type { Amounts } from '../../lib/kubernetes/admission/amounts.ts';
import { amountsOfPod } from '../../lib/kubernetes/admission/amounts.ts';
import { decideAdmission, type AdmissionInput, type QuotaLimit } from '../../lib/kubernetes/admission/decide.ts';
import { NEED_ANNOTATION } from '../../lib/kubernetes/admission/read.ts';
import { runIdFor } from '../../lib/core/ids.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { ownerMetadata } from '../../lib/kubernetes/cluster/owner-metadata.ts';
import type { ClusterAccess, Place } from '../../lib/kubernetes/cluster/port.ts';
import { clusterId, ownerOf } from '../fakes/ids.ts';

const JOB_MANAGER = amounts(1, 1, 1.6e9);
const WHOLE = amounts(2, 1.5, 3.2e9);
const NONE = amounts(0, 0, 0);

/** Cores and bytes, as requests and as limits. */
function amounts(pods: number, cpu: number, memory: number): Amounts {
  return { pods, 'requests.cpu': cpu, 'requests.memory': memory, 'limits.cpu': cpu, 'limits.memory': memory };
}

function limit(resource: QuotaLimit['resource'], hard: number, used = 0): QuotaLimit {
  return { quota: 'small', resource, hard, used };
}

describe('decideAdmission', () => {
  const ask = (input: Partial<AdmissionInput>): string =>
    decideAdmission({ limits: [], need: { whole: WHOLE, least: WHOLE }, held: NONE, neighbours: [], ...input }).kind;

  it.each([
    ['nothing is limited', {}, 'admitted'],
    ['it just fits', { limits: [limit('pods', 2), limit('limits.memory', 3.2e9)] }, 'admitted'],
    ['one resource of many is short', { limits: [limit('pods', 9), limit('requests.cpu', 4, 3)] }, 'short'],
    ['others leave room for a JobManager alone', { limits: [limit('pods', 3, 2)] }, 'short'],
    ['it is too large for the empty namespace', { limits: [limit('limits.cpu', 1.4)] }, 'never'],
    [
      'a neighbour has still to get its TaskManager',
      { limits: [limit('pods', 3, 1)], neighbours: [{ whole: WHOLE, held: JOB_MANAGER }] },
      'short',
    ],
    [
      'a neighbour has not even its JobManager',
      { limits: [limit('pods', 3)], neighbours: [{ whole: WHOLE, held: NONE }] },
      'short',
    ],
    [
      'a neighbour goes, and gets no more',
      { limits: [limit('pods', 3, 1)], neighbours: [{ held: JOB_MANAGER }] },
      'admitted',
    ],
    [
      'a neighbour has more than it said',
      { limits: [limit('pods', 5, 4)], neighbours: [{ whole: WHOLE, held: amounts(4, 1, 1) }] },
      'short',
    ],
    ['its own pods are counted once', { limits: [limit('pods', 2, 1)], held: JOB_MANAGER }, 'admitted'],
    ['its own pod is not in the quota yet', { limits: [limit('pods', 2)], held: JOB_MANAGER }, 'admitted'],
    ['sums of fractions are rounded', { limits: [limit('requests.cpu', 1.7, 0.1 + 0.2 - 0.1)] }, 'admitted'],
  ] as readonly [string, Partial<AdmissionInput>, string][])('%s', (_, input, kind) => {
    expect(ask(input)).toBe(kind);
  });

  it('a job that runs with what it gets has the namespace for itself', () => {
    const need = { whole: amounts(9, 9, 9), least: WHOLE };
    expect(ask({ need, limits: [limit('pods', 4)] })).toBe('admitted');
    expect(ask({ need, limits: [limit('pods', 4, 1)] })).toBe('short');
  });

  it('two clusters that are in each other’s way are never both admitted', () => {
    const first = ask({ limits: [limit('pods', 3)] });
    const second = ask({ limits: [limit('pods', 3)], neighbours: [{ whole: WHOLE, held: NONE }] });
    expect([first, second]).toEqual(['admitted', 'short']);
  });
});

describe('amountsOfPod', () => {
  it('takes a limit for a request that is not there, and the larger of init containers and the others', () => {
    const container = { name: 'a', resources: { requests: { cpu: '250m' }, limits: { cpu: '1', memory: '1Gi' } } };
    const init = { name: 'b', resources: { requests: { memory: '2Gi' } } };
    expect(amountsOfPod({ containers: [container, container], initContainers: [init] })).toEqual({
      pods: 1,
      ...{ 'requests.cpu': 0.5, 'requests.memory': 2 * 2 ** 30, 'limits.cpu': 2, 'limits.memory': 2 * 2 ** 30 },
    });
  });
});

describe('admit', () => {
  const NOW = Date.parse('2026-11-21T06:00:00Z');
  const namespace = 'flink';
  const cluster = { namespace, clusterId: clusterId('mine'), need: { whole: WHOLE, least: WHOLE } };
  const [mine, theirs] = [ownerOf(runIdFor('1')), ownerOf(runIdFor('2'))];
  let quotas: readonly object[] | 403;
  let deployments: readonly object[];
  let pods: readonly object[];
  let maps: Map<string, { readonly metadata: Record<string, unknown> }>;
  let asked: string[];

  beforeEach(() => {
    quotas = [{ metadata: { name: 'small' }, spec: { hard: { 'count/pods': '2' } }, status: { used: {} } }];
    deployments = [];
    pods = [];
    maps = new Map();
    asked = [];
  });

  const admitting = (): ClusterAccess['admit'] => {
    const clusters = createClusters({ request: (request) => Promise.resolve(answer(request)) });
    return (wanted, owner, now) => clusters.admit(wanted, owner, now);
  };
  const list = (items: readonly object[]): ApiResponse => ({ status: 200, body: { items } });
  const refuse = (status: number, reason: string): ApiResponse => ({ status, body: { kind: 'Status', reason } });

  function answer({ method, path, body }: ApiRequest): ApiResponse {
    const [resource = '', name] = path.split('/').slice(path.split('/').indexOf(namespace) + 1);
    asked.push(`${method} ${resource}`);
    if (resource === 'resourcequotas') return quotas === 403 ? refuse(403, 'Forbidden') : list(quotas);
    if (resource === 'deployments') return list(deployments);
    if (resource === 'pods') return list(pods);
    if (method === 'POST') return makeMap(body as { readonly metadata: Record<string, unknown> });
    const found = maps.get(name ?? '');
    if (found === undefined) return refuse(404, 'NotFound');
    if (method === 'GET') return { status: 200, body: found };
    const wanted = (body as { readonly preconditions: { readonly uid: string } }).preconditions.uid;
    if (found.metadata['uid'] !== wanted) return refuse(409, 'Conflict');
    maps.delete(name ?? '');
    return { status: 200, body: {} };
  }

  function makeMap(map: { readonly metadata: Record<string, unknown> }): ApiResponse {
    const name = String(map.metadata['name']);
    if (maps.has(name)) return refuse(409, 'AlreadyExists');
    const created = { metadata: { ...map.metadata, uid: `u${asked.length}`, creationTimestamp: new Date(NOW) } };
    maps.set(name, created);
    return { status: 201, body: created };
  }

  function deploymentOf(name: string, change: object = {}): object {
    const annotations = { [NEED_ANNOTATION]: JSON.stringify(WHOLE) };
    return { metadata: { name, annotations, creationTimestamp: new Date(NOW - 1_000).toISOString(), ...change } };
  }

  function placeIn(answered: Place | 'busy'): Place {
    if (answered === 'busy') throw new Error('it has no place');
    return answered;
  }

  it('asks a namespace without a quota, or with one of some pods only, once a minute', async () => {
    const admit = admitting();
    quotas = [{ metadata: { name: 'some' }, spec: { hard: { pods: '0' }, scopes: ['BestEffort'] } }];
    for (const at of [NOW, NOW + 59_000, NOW + 61_000]) placeIn(await admit(cluster, mine, at));
    expect(asked).toEqual(['GET resourcequotas', 'GET resourcequotas']);
  });

  it('admits everything where quotas are not shown', async () => {
    quotas = 403;
    await placeIn(await admitting()(cluster, mine, NOW)).settle();
    expect(asked).toEqual(['GET resourcequotas']);
  });

  it('one at a time: the next is busy, and short once the first stands', async () => {
    const admit = admitting();
    const place = placeIn(await admit(cluster, mine, NOW));
    const other = { ...cluster, clusterId: clusterId('other') };
    expect(await admit(other, theirs, NOW)).toBe('busy');
    // The same launch, taken up again.
    placeIn(await admit(cluster, mine, NOW));
    deployments = [deploymentOf('mine')];
    await place.settle();
    expect(maps.size).toBe(0);
    await expect(admit(other, theirs, NOW)).rejects.toMatchObject({
      reason: 'QuotaExceeded',
      message: expect.stringMatching(/2 pods.* small .* 0 left/) as unknown,
    });
  });

  it('a turn that nobody gave back is taken over, and its owner does not begin', async () => {
    const admit = admitting();
    const place = placeIn(await admit(cluster, mine, NOW));
    const other = { ...cluster, clusterId: clusterId('other') };
    expect(await admit(other, theirs, NOW + 60_000)).toBe('busy');
    placeIn(await admit(other, theirs, NOW + 60_000));
    await expect(place.settle()).rejects.toMatchObject({ reason: 'ClusterUnavailable' });
    await place.giveBack();
    expect([...maps.values()][0]?.metadata).toMatchObject(ownerMetadata(theirs));
  });

  it('gives its turn back when nothing was made', async () => {
    await placeIn(await admitting()(cluster, mine, NOW)).giveBack();
    expect(maps.size).toBe(0);
  });

  it('a cluster that is too large for the quota never starts, whatever else is there', async () => {
    quotas = [{ metadata: { name: 'small' }, spec: { hard: { memory: '2Gi' } }, status: { used: { memory: '1Gi' } } }];
    await expect(admitting()(cluster, mine, NOW)).rejects.toMatchObject({
      reason: 'QuotaTooSmall',
      message: expect.stringMatching(/3200000000 requests.memory.*allows 2147483648/) as unknown,
    });
  });

  it.each([
    ['goes', { deletionTimestamp: new Date(NOW).toISOString() }, 'admitted'],
    ['has stood without a TaskManager', { creationTimestamp: new Date(NOW - 200_000).toISOString() }, 'admitted'],
    ['starts', {}, 'short'],
  ])('a neighbour that %s', async (_, change, expected) => {
    quotas = [{ metadata: { name: 'small' }, spec: { hard: { pods: '3' } }, status: { used: { pods: '1' } } }];
    deployments = [deploymentOf('other', change)];
    pods = [{ metadata: { labels: { app: 'other', component: 'jobmanager' } }, spec: {}, status: {} }];
    const answered = admitting()(cluster, mine, NOW);
    if (expected === 'short') await expect(answered).rejects.toMatchObject({ reason: 'QuotaExceeded' });
    else expect(await answered).not.toBe('busy');
  });

  it('leaves a cluster alone whose permit was granted', async () => {
    deployments = [deploymentOf('mine')];
    maps.set('start-permit-mine', { metadata: { name: 'start-permit-mine' } });
    quotas = [{ metadata: { name: 'small' }, spec: { hard: { pods: '2' } }, status: { used: { pods: '2' } } }];
    await placeIn(await admitting()(cluster, mine, NOW)).settle();
    expect(asked).not.toContain('POST configmaps');
  });
});
