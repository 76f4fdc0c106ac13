import { lookup } from 'node:dns/promises';
import type { V1LimitRange, V1ResourceQuota } from '@kubernetes/client-node';
import { apiPath, type KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { succeeded } from '../../../../lib/kubernetes/api/status-error.ts';
import { isRecord } from '../../../../lib/core/json.ts';
import type { TargetConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { parseQuantity } from '../../../../lib/job/spec/quantity.ts';
import { failed, ok, unknown, type Seen } from './check.ts';

/** The oldest Kubernetes on which the suite of real clusters has run with the same API versions. */
const OLDEST_MINOR = 25;
/** AWS refuses a signature of another time; milliseconds. */
const MOST_SKEW = 60_000;

/** The connection, the version, and the server's clock. @throws DispatchError `ClusterUnavailable` */
export async function checkServer(api: KubernetesApi, now: () => number): Promise<Record<string, Seen>> {
  const before = now();
  const response = await api.request({ method: 'GET', path: '/version' });
  const body = isRecord(response.body) ? response.body : {};
  if (response.status === 401) {
    const refused = failed('the API server does not accept the credentials', 'check access of the target');
    return { connection: refused };
  }
  const text = (key: string): string => (typeof body[key] === 'string' ? body[key] : '');
  const minor = Number.parseInt(text('minor'), 10);
  const version = `Kubernetes ${text('gitVersion')}`;
  const old = failed(`${version} is older than 1.${OLDEST_MINOR}`, 'upgrade the cluster');
  return {
    connection: ok('the API server answers'),
    version: Number.isNaN(minor)
      ? unknown('the API server does not tell its version')
      : minor < OLDEST_MINOR
        ? old
        : ok(version),
    clock: clock(response.date, before, now()),
  };
}

function clock(theirs: number | undefined, before: number, after: number): Seen {
  if (theirs === undefined) return unknown('the API server does not tell the time');
  // The header is cut to seconds, and was written somewhere between the two.
  const skew = Math.max(before - (theirs + 1000), theirs - after, 0);
  if (skew <= MOST_SKEW) return ok('the same as here');
  return failed(
    `${Math.round(skew / 1000)} seconds apart from here`,
    'set the clock: signed tokens and URLs depend on it',
  );
}

export async function checkNamespace(api: KubernetesApi, namespace: string): Promise<Seen> {
  const { status } = await api.request({ method: 'GET', path: apiPath('api', 'v1', 'namespaces', namespace) });
  if (status === 404) return failed('there is no such namespace', `kubectl create namespace ${namespace}`);
  return status === 403 ? unknown('namespaces are not shown to this account') : ok('is there');
}

export async function checkAccount(api: KubernetesApi, namespace: string, account: string): Promise<Seen> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'serviceaccounts', account);
  const { status } = await api.request({ method: 'GET', path });
  const fix = `kubectl apply --namespace ${namespace} -k infra/kubernetes/rbac, or name another serviceAccount`;
  if (status === 404) return failed(`there is no service account ${account}`, fix);
  return status === 200 ? ok(`${account} is there`) : unknown('service accounts are not shown to this account');
}

/** What the smallest run needs: a JobManager and one TaskManager. */
export interface Need {
  readonly pods: number;
  /** Cores. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Of the larger pod of the two. */
  readonly most: { readonly cpu: number; readonly memory: number };
}

/** @returns `undefined` when the account is not shown the kind. */
async function list<T>(api: KubernetesApi, namespace: string, resource: string): Promise<readonly T[] | undefined> {
  const response = await api.request({ method: 'GET', path: apiPath('api', 'v1', 'namespaces', namespace, resource) });
  if (!succeeded(response)) return undefined;
  return (response.body as { readonly items?: readonly T[] }).items ?? [];
}

export async function checkQuota(api: KubernetesApi, namespace: string, need: Need): Promise<Seen> {
  const quotas = await list<V1ResourceQuota>(api, namespace, 'resourcequotas');
  if (quotas === undefined) {
    const fix = `kubectl apply --namespace ${namespace} -k infra/kubernetes/rbac: without list resourcequotas, clusters that wait for room may hold it`;
    return unknown('quotas are not shown to this account', fix);
  }
  const short = quotas.flatMap(({ metadata, status }) =>
    Object.entries(status?.hard ?? {}).flatMap(([what, hard]) => {
      const room = amount(hard) - amount(status?.used?.[what] ?? '0');
      const wanted = wantedOf(what, need);
      return wanted > room
        ? [`${metadata?.name ?? ''} leaves ${room} ${what}, a run of the defaults needs ${wanted}`]
        : [];
    }),
  );
  if (short.length > 0) return failed(short.join('; '), 'raise the ResourceQuota, or wait for runs to end');
  if (quotas.length === 0) return ok('no quota');
  return ok(`room for a run of the defaults; used: ${quotas.flatMap(usedOf).join(', ')}`);
}

/** As it is written there: `pods 3 of 10`. */
function usedOf({ status }: V1ResourceQuota): readonly string[] {
  return Object.entries(status?.hard ?? {}).map(([what, hard]) => `${what} ${status?.used?.[what] ?? '0'} of ${hard}`);
}

export async function checkLimits(api: KubernetesApi, namespace: string, need: Need): Promise<Seen> {
  const ranges = await list<V1LimitRange>(api, namespace, 'limitranges');
  if (ranges === undefined) return unknown('limits are not shown to this account');
  const tight = ranges.flatMap(({ metadata, spec }) =>
    (spec?.limits ?? []).flatMap(({ type, max = {} }) =>
      Object.entries(max).flatMap(([what, limit]) => {
        const wanted = what === 'cpu' ? need.most.cpu : what === 'memory' ? need.most.memory : 0;
        return type !== 'PersistentVolumeClaim' && wanted > amount(limit)
          ? [`${metadata?.name ?? ''} allows a ${type} at most ${limit} of ${what}`]
          : [];
      }),
    ),
  );
  if (tight.length > 0) return failed(tight.join('; '), 'raise the LimitRange, or lower the resources of the defaults');
  return ok(ranges.length === 0 ? 'no limits' : 'the defaults fit');
}

function wantedOf(what: string, need: Need): number {
  switch (what) {
    case 'pods':
    case 'count/pods':
      return need.pods;
    case 'cpu':
    case 'requests.cpu':
      return need.cpu;
    case 'memory':
    case 'requests.memory':
      return need.memory;
    case 'count/deployments.apps':
      return 1;
    case 'services':
    case 'count/services':
      return 2;
    case 'configmaps':
    case 'count/configmaps':
      return 1;
    default:
      return 0;
  }
}

/** What cannot be read limits nothing here. */
function amount(text: string): number {
  return parseQuantity(text) ?? Infinity;
}

/** Whether this machine can use the target's way to JobManagers, as far as it shows without one. */
export async function checkRest({ rest }: TargetConfig): Promise<Seen> {
  switch (rest.kind) {
    case 'service-proxy':
      return ok('through the API server: see permissions');
    case 'service-dns': {
      const found = await lookup('kubernetes.default').catch(() => undefined);
      const fix = 'run where the cluster’s DNS is used (in the VPC), or set rest.kind to service-proxy';
      return found === undefined
        ? failed('names of Services are not known here', fix)
        : ok('names of Services are known here');
    }
    case 'node-port':
    case 'load-balancer':
      return unknown(`${rest.kind} is proven by the first run alone`, 'let the functions’ network reach it');
  }
}
