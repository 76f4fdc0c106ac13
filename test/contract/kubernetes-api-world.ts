import { KubeConfig, Watch, type KubernetesObject } from '@kubernetes/client-node';
import { apiPath, type ApiRequest, type ApiResponse } from '../../lib/kubernetes/api/api.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { makeNamespace } from './support/kubernetes.ts';

export interface Seen {
  readonly type: string;
  readonly object: KubernetesObject & Record<string, unknown>;
}

/** A namespace of one API server, and short ways to ask it. */
export interface World {
  readonly namespace: string;
  readonly image: string;
  request(request: ApiRequest): Promise<ApiResponse>;
  /** Paths of this namespace: `pods/x`, `deployments/y/scale`. */
  path(resource: string, ...rest: string[]): string;
  create(resource: string, body: object): Promise<Record<string, unknown>>;
  get(resource: string, name: string): Promise<ApiResponse>;
  names(resource: string, query?: Record<string, string>): Promise<string[]>;
  /** Asks until it holds; fails the test after a minute. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>;
  /** Watches until the predicate holds; answers all events seen. */
  watch(
    resource: string,
    query: Record<string, string>,
    enough: (seen: readonly Seen[]) => boolean,
  ): Promise<readonly Seen[]>;
  close(): Promise<void>;
}

const APPS = new Set(['deployments', 'replicasets']);
const LIMIT = 60_000;

export async function openWorld(kubeconfig: string, image: string): Promise<World> {
  const api = createKubernetesApi(await kubeconfigConnection({ text: kubeconfig }));
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const namespace = await makeNamespace(api);
  const path = (resource: string, ...rest: string[]): string =>
    apiPath(
      ...(APPS.has(resource) ? ['apis', 'apps'] : ['api']),
      'v1',
      'namespaces',
      namespace.name,
      resource,
      ...rest,
    );
  const request = (asked: ApiRequest): Promise<ApiResponse> => api.request(asked);
  return {
    namespace: namespace.name,
    image,
    request,
    path,
    async create(resource, body) {
      const answer = await request({ method: 'POST', path: path(resource), body });
      if (answer.status !== 201) throw new Error(`create ${resource}: ${JSON.stringify(answer.body)}`);
      return answer.body as Record<string, unknown>;
    },
    get: (resource, name) => request({ method: 'GET', path: path(resource, name) }),
    async names(resource, query) {
      const asked = { method: 'GET', path: path(resource), ...(query === undefined ? {} : { query }) } as const;
      const { items } = (await request(asked)).body as { items: { metadata: { name: string } }[] };
      return items.map(({ metadata }) => metadata.name);
    },
    until,
    watch: (resource, query, enough) => watchUntil(config, path(resource), query, enough),
    close: () => namespace.remove(),
  };
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + LIMIT; Date.now() < end;) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within ${String(LIMIT)} ms`);
}

function watchUntil(
  config: KubeConfig,
  path: string,
  query: Record<string, string>,
  enough: (seen: readonly Seen[]) => boolean,
): Promise<readonly Seen[]> {
  return new Promise((resolve, reject) => {
    const seen: Seen[] = [];
    let abort: AbortController | undefined;
    let over = false;
    const timer = setTimeout(() => {
      end(() => {
        reject(new Error(`the watch saw only ${JSON.stringify(seen.map(({ type }) => type))}`));
      });
    }, LIMIT);
    const end = (how: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      how();
      abort?.abort();
    };
    const onEvent = (type: string, object: Seen['object']): void => {
      seen.push({ type, object });
      if (enough(seen))
        end(() => {
          resolve(seen);
        });
    };
    const onDone = (error: unknown): void => {
      end(() => {
        if (enough(seen)) resolve(seen);
        else reject(error instanceof Error ? error : new Error('the watch ended'));
      });
    };
    new Watch(config).watch(path, query, onEvent, onDone).then((controller) => {
      abort = controller;
      if (over) controller.abort();
    }, onDone);
  });
}
