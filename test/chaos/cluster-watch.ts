import * as https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { apiPath, type KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';
import { ATTEMPT_ANNOTATION, RUN_ID_ANNOTATION } from '../../lib/kubernetes/cluster/owner-metadata.ts';

/** A Deployment that was there at some time; one of the same name after it has another uid. */
export interface SeenCluster {
  readonly clusterId: string;
  readonly uid: string;
  readonly runId: string;
  readonly attempt: number;
  /** When it was first and last seen, by the clock of this machine. */
  readonly from: number;
  until?: number;
}

/** The time in which the main container of a pod ran, by Kubernetes' own account. */
export interface SeenProcess {
  readonly clusterId: string;
  readonly component: string;
  readonly pod: string;
  readonly podUid: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly startedAt: number;
  /** Absent: it still runs. Of a pod that was gone before it was seen to end, when that was seen. */
  endedAt?: number;
}

/** What the API server tells of a namespace to whoever watches it, also over its own restarts. */
export interface ClusterWatch {
  readonly clusters: ReadonlyMap<string, SeenCluster>;
  readonly processes: ReadonlyMap<string, SeenProcess>;
  stop(): Promise<void>;
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'ERROR';
  readonly object: Watched;
}

type Watched = V1Deployment & V1Pod;

export async function watchCluster(api: KubernetesApi, namespace: string): Promise<ClusterWatch> {
  const clusters = new Map<string, SeenCluster>();
  const processes = new Map<string, SeenProcess>();
  const abort = new AbortController();
  const stream = await streams();
  const follow = (path: string, look: (object: Watched) => void, gone: (uid: string) => void): Promise<void> =>
    followList({ api, stream, path, look, gone, signal: abort.signal });
  const following = Promise.all([
    follow(
      apiPath('apis', 'apps', 'v1', 'namespaces', namespace, 'deployments'),
      (object) => seeDeployment(clusters, object),
      (uid) => end(clusters.get(uid)),
    ),
    follow(
      apiPath('api', 'v1', 'namespaces', namespace, 'pods'),
      (object) => seePod(processes, object),
      (uid) => [...processes.values()].filter(({ podUid }) => podUid === uid).forEach(endProcess),
    ),
  ]);
  return {
    clusters,
    processes,
    async stop() {
      abort.abort();
      await following;
    },
  };
}

function end(cluster: SeenCluster | undefined): void {
  if (cluster !== undefined) cluster.until ??= Date.now();
}

function endProcess(process: SeenProcess): void {
  process.endedAt ??= Date.now();
}

function seeDeployment(clusters: Map<string, SeenCluster>, { metadata }: V1Deployment): void {
  const { name: clusterId = '', uid = '', annotations = {} } = metadata ?? {};
  if (clusters.has(uid)) return;
  const runId = annotations[RUN_ID_ANNOTATION] ?? '';
  const attempt = Number(annotations[ATTEMPT_ANNOTATION]);
  clusters.set(uid, { clusterId, uid, runId, attempt, from: Date.now() });
}

function seePod(processes: Map<string, SeenProcess>, { metadata, status }: V1Pod): void {
  const { name: pod = '', uid: podUid = '', labels = {} } = metadata ?? {};
  const of = { clusterId: labels['app'] ?? '', component: labels['component'] ?? '', pod, podUid };
  for (const { startedAt, finishedAt } of incarnations(status)) {
    const begin = timeOf(startedAt);
    if (begin === undefined) continue;
    const key = `${podUid} ${begin}`;
    const known = processes.get(key) ?? { ...of, startedAt: begin };
    const endedAt = timeOf(finishedAt);
    processes.set(key, endedAt === undefined ? known : { ...known, endedAt });
  }
}

/** Of the main container: the last one before this, and this. */
function incarnations(status: V1Pod['status']): readonly { readonly startedAt?: Date; readonly finishedAt?: Date }[] {
  const container = status?.containerStatuses?.find(({ name }) => name === 'flink-main-container');
  const { state, lastState } = container ?? {};
  return [lastState?.terminated, state?.terminated, state?.running].filter((times) => times !== undefined);
}

/** In JSON it is a text. */
function timeOf(time: Date | string | undefined): number | undefined {
  const at = time === undefined || time === null ? NaN : new Date(time).getTime();
  return Number.isNaN(at) || at === 0 ? undefined : at;
}

interface Following {
  readonly api: KubernetesApi;
  readonly stream: (path: string, signal: AbortSignal) => Promise<AsyncIterable<string>>;
  readonly path: string;
  readonly look: (object: Watched) => void;
  readonly gone: (uid: string) => void;
  readonly signal: AbortSignal;
}

/** List, watch from there, and list again when the watch ends. */
async function followList(following: Following): Promise<void> {
  const known = new Set<string>();
  while (!following.signal.aborted) {
    await listAndWatch(following, known).catch(() => sleep(100));
  }
}

async function listAndWatch(following: Following, known: Set<string>): Promise<void> {
  const { api, stream, path, look, gone, signal } = following;
  const { status, body } = await api.request({ method: 'GET', path });
  if (status !== 200) throw new Error(`${path}: ${status}`);
  const { metadata, items } = body as { metadata: { resourceVersion: string }; items: readonly Watched[] };
  const now = new Set(items.map(uidOf));
  const forget = (uid: string): void => {
    gone(uid);
    known.delete(uid);
  };
  for (const uid of [...known]) if (!now.has(uid)) forget(uid);
  for (const item of items) {
    known.add(uidOf(item));
    look(item);
  }
  const from = `${path}?watch=1&resourceVersion=${metadata.resourceVersion}`;
  for await (const line of await stream(from, signal)) {
    const { type, object } = JSON.parse(line) as WatchEvent;
    // The version that it begins from is too old.
    if (type === 'ERROR') return;
    known.add(uidOf(object));
    look(object);
    if (type === 'DELETED') forget(uidOf(object));
  }
}

function uidOf({ metadata }: Watched): string {
  return metadata?.uid ?? '';
}

/** Lines of an answer that goes on. */
async function streams(): Promise<(path: string, signal: AbortSignal) => Promise<AsyncIterable<string>>> {
  const connection = await kubeconfigConnection({ files: kubeconfigFiles(process.env) });
  return async (path, signal) => {
    const { tls, headers } = await connection.credentials(false);
    const { insecure, ...material } = tls;
    const options = { ...material, headers, signal, rejectUnauthorized: insecure !== true };
    return new Promise((resolve, reject) => {
      https
        .get(`${connection.server}${path}`, options, (response) => {
          if (response.statusCode === 200) resolve(linesOf(response.setEncoding('utf8')));
          else reject(new Error(`${path}: ${String(response.statusCode)}`));
        })
        .on('error', reject);
    });
  };
}

async function* linesOf(chunks: AsyncIterable<unknown>): AsyncIterable<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
