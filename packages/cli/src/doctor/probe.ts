import { randomBytes } from 'node:crypto';
import { removeAndVerify } from '../../../../lib/kubernetes/cluster/remove-and-verify.ts';
import { apiPath, type KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../../../lib/kubernetes/cluster/clusters.ts';
import { findFailure } from '../../../../lib/diagnosis/findings.ts';
import { statusError, succeeded } from '../../../../lib/kubernetes/api/status-error.ts';
import type { Clock } from '../../../../lib/core/clock.ts';
import { defined } from '../../../../lib/core/defined.ts';
import { describeError } from '../../../../lib/core/errors.ts';
import { parseClusterId } from '../../../../lib/core/ids.ts';
import { jobManagerSelectors } from '../../../../lib/flink/native/labels.ts';
import { recommendedLabels } from '../../../../lib/flink/recommended-labels.ts';
import { failed, ok, unknown, type Seen } from './check.ts';

/** An image that is not on the node yet may take this long; milliseconds. */
const PATIENCE = 180_000;
const POLL = 500;

export interface Probe {
  readonly namespace: string;
  readonly image: string;
  readonly serviceAccount: string | undefined;
}

/**
 * Runs one pod of the image, as a JobManager would be run: by a Deployment, with the service account. Shows what only a
 * pod shows: whether the image can be pulled, a node has room and admission lets it in. Leaves nothing.
 */
export async function probe(api: KubernetesApi, wanted: Probe, clock: Clock): Promise<Seen> {
  const clusters = createClusters(api);
  const ref = { namespace: wanted.namespace, clusterId: parseClusterId(`doctor-${randomBytes(5).toString('hex')}`) };
  try {
    await create(api, ref.clusterId, wanted);
    const end = clock.now() + PATIENCE;
    while (clock.now() < end) {
      const facts = await clusters.observe(ref);
      const finding = findFailure(facts, clock.now());
      if (finding?.certainty === 'final') return failed(finding.message, finding.evidence.join('; '));
      if (facts.pods.some(({ containers }) => containers.some(({ state }) => state === 'running'))) {
        return ok(`a pod of ${wanted.image} runs`);
      }
      await clock.sleep(POLL);
    }
    return unknown(`a pod of ${wanted.image} does not run after ${PATIENCE / 1000} seconds`, 'look at its events');
  } catch (error) {
    return failed(describeError(error), 'see what refused the pod');
  } finally {
    for (let looks = 0; looks < 60; looks += 1) {
      if ((await removeAndVerify(clusters, ref, { highAvailability: false })).length === 0) break;
      await clock.sleep(POLL);
    }
  }
}

async function create(api: KubernetesApi, name: string, { namespace, image, serviceAccount }: Probe): Promise<void> {
  const selected = jobManagerSelectors(name);
  const labels = { ...recommendedLabels(name, 'jobmanager'), ...selected };
  const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '100m', memory: '64Mi' } };
  const container = { name: 'probe', image, command: ['sleep', '300'], resources };
  const spec = {
    containers: [container],
    terminationGracePeriodSeconds: 0,
    ...defined({ serviceAccountName: serviceAccount }),
  };
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: { replicas: 1, selector: { matchLabels: selected }, template: { metadata: { labels }, spec } },
  };
  const path = apiPath('apis', 'apps', 'v1', 'namespaces', namespace, 'deployments');
  const response = await api.request({ method: 'POST', path, body });
  if (!succeeded(response)) throw statusError(response, { verb: 'create', resource: `deployments/${name}`, namespace });
}
