import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { parseClusterId } from '../../lib/core/ids.ts';

const NAMESPACE = 'bench-dispatch';
const PATH = `/api/v1/namespaces/${NAMESPACE}`;
/** What Flink's client makes of an application cluster without high availability. */
const OBJECTS = ['Deployment', 'Service', 'Service', 'ConfigMap'];

/** A namespace in which no pod starts: what is measured is the making of the objects. */
export interface Place {
  readonly namespace: string;
  /** @throws Error unless exactly the four objects of a native cluster are there. */
  expectCluster(clusterId: string): Promise<void>;
  /** Returns when nothing of it is left. */
  removeCluster(clusterId: string): Promise<void>;
  /** Removes the namespace, with whatever is in it. */
  close(): Promise<void>;
}

/** What an earlier run left, because it was killed, goes first. */
export async function openPlace(api: KubernetesApi): Promise<Place> {
  await removeNamespace(api);
  await create(api, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'no-pods' },
    spec: { hard: { pods: '0' } },
  };
  await create(api, `${PATH}/resourcequotas`, quota);
  const clusters = createClusters(api);
  const ref = (clusterId: string) => ({ namespace: NAMESPACE, clusterId: parseClusterId(clusterId) });
  return {
    namespace: NAMESPACE,
    async expectCluster(clusterId) {
      const objects = await clusters.remains(ref(clusterId));
      const kinds = objects.map((name) => name.replace(/\/.*/, '')).filter((kind) => kind !== 'ReplicaSet');
      if (kinds.join() !== OBJECTS.join()) throw new Error(`${clusterId} consists of ${objects.join(', ')}`);
    },
    async removeCluster(clusterId) {
      await until(async () => {
        await clusters.remove(ref(clusterId), { highAvailability: true });
        return (await clusters.remains(ref(clusterId))).length === 0;
      }, `the objects of ${clusterId} to go`);
    },
    close: () => removeNamespace(api),
  };
}

async function create(api: KubernetesApi, path: string, body: unknown): Promise<void> {
  const { status, body: answer } = await api.request({ method: 'POST', path, body });
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(answer)}`);
}

async function removeNamespace(api: KubernetesApi): Promise<void> {
  const gone = async () => (await api.request({ method: 'DELETE', path: PATH })).status === 404;
  await until(gone, `namespace ${NAMESPACE} to go`);
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited 60 s for ${what}`);
    await sleep(100);
  }
}
