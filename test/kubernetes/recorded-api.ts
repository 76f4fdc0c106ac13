import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoreV1Event, V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { ApiRequest, ApiResponse, KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { parseClusterId } from '../../lib/core/ids.ts';

interface Recording {
  readonly at: string;
  readonly deployment: V1Deployment;
  readonly pods: readonly V1Pod[];
  readonly events: readonly CoreV1Event[];
}

export interface Recorded {
  readonly api: KubernetesApi;
  readonly ref: ClusterRef;
  /** When it was recorded. */
  readonly at: number;
  readonly log: string;
  readonly requests: readonly ApiRequest[];
}

/** What a real API server said of a cluster, by Flink version and scenario (test/cluster/failures.test.ts). */
export function recorded(version: string, scenario: string): Recorded {
  const folder = join('test/fixtures/kubernetes', version, scenario);
  const recording = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as Recording;
  const { name = '', namespace = '' } = recording.deployment.metadata ?? {};
  const requests: ApiRequest[] = [];
  const api: KubernetesApi = {
    request(request) {
      requests.push(request);
      return Promise.resolve(answer(recording, request));
    },
  };
  const ref = { namespace, clusterId: parseClusterId(name) };
  return { api, ref, at: Date.parse(recording.at), log: logIn(folder), requests };
}

function logIn(folder: string): string {
  try {
    return readFileSync(join(folder, 'jobmanager.txt'), 'utf8');
  } catch {
    return '';
  }
}

function answer(recording: Recording, { path, query }: ApiRequest): ApiResponse {
  if (path.includes('/deployments/')) return { status: 200, body: recording.deployment };
  if (path.endsWith('/pods')) return { status: 200, body: { items: recording.pods } };
  if (path.endsWith('/events')) {
    return { status: 200, body: { items: recording.events.filter(matching(query?.['fieldSelector'] ?? '')) } };
  }
  return { status: 404, body: { kind: 'Status', message: `not recorded: ${path}` } };
}

function matching(selector: string): (event: CoreV1Event) => boolean {
  const wanted = Object.fromEntries(selector.split(',').map((term) => term.split('=') as [string, string]));
  return ({ involvedObject, reason }) =>
    (wanted['involvedObject.uid'] ?? involvedObject.uid) === involvedObject.uid &&
    (wanted['involvedObject.kind'] ?? involvedObject.kind) === involvedObject.kind &&
    (wanted['reason'] ?? reason) === reason;
}
