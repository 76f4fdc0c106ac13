import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../../lib/kubernetes/cluster/clusters.ts';
import { logWorthReading } from '../../../lib/diagnosis/log-worth-reading.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';

interface Listed {
  readonly items: readonly Record<string, unknown>[];
}

/**
 * With RECORD_FAILURES set to a folder: writes what the API server says of a cluster, and the end of its JobManager's
 * log, to `<folder>/<name>`, for the tests that need no cluster. Once, however often it is called.
 */
export function recording(api: KubernetesApi, name: string): (ref: ClusterRef) => Promise<void> {
  const folder = process.env['RECORD_FAILURES'];
  let done: Promise<void> | undefined;
  return (ref) => (done ??= folder === undefined ? Promise.resolve() : record(api, ref, join(folder, name)));
}

async function record(api: KubernetesApi, ref: ClusterRef, folder: string): Promise<void> {
  const get = async (path: string): Promise<unknown> => (await api.request({ method: 'GET', path })).body;
  const at = new Date().toISOString();
  const core = `/api/v1/namespaces/${ref.namespace}`;
  const deployment = await get(`/apis/apps/v1/namespaces/${ref.namespace}/deployments/${ref.clusterId}`);
  const pods = (await get(`${core}/pods?labelSelector=app%3D${ref.clusterId}`)) as Listed;
  const events = (await get(`${core}/events`)) as Listed;
  const about = events.items.filter(
    (event) => (event['involvedObject'] as { name?: string }).name?.startsWith(ref.clusterId) === true,
  );
  mkdirSync(folder, { recursive: true });
  const facts = { at, deployment: slim(deployment), pods: pods.items.map(slim), events: about.map(slim) };
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 1)}\n`);
  const log = await jobManagerLog(api, ref);
  if (log !== '') writeFileSync(join(folder, 'jobmanager.txt'), log.split('\n').slice(-120).join('\n'));
}

async function jobManagerLog(api: KubernetesApi, ref: ClusterRef): Promise<string> {
  const clusters = createClusters(api);
  const log = logWorthReading(await clusters.observe(ref), Date.now());
  return log === undefined ? '' : (await clusters.tail(ref, log.pod, { ...log, bytes: 256 * 1024 })).text;
}

/** Without what says nothing about the state. */
function slim(object: unknown): unknown {
  const { metadata, ...rest } = object as { metadata: Record<string, unknown> };
  return { ...rest, metadata: { ...metadata, managedFields: undefined } };
}
