import type { KubernetesObject, V1Deployment, V1OwnerReference, V1Service } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiPath, type KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { buildCluster } from '../../lib/flink/native/build-cluster.ts';
import { LOSES_KEYS, RECORDED_VERSIONS, recordings, requestOf, type Recording } from '../flink/native/recordings.ts';
import { apiOfKubeconfig, makeNamespace, must } from './support/kubernetes.ts';

const { KUBECONFIG } = process.env;

/**
 * Our objects, created on a real API server, are stored as those of Flink's own client were: every field, in the
 * server's own words. Only what a server gives to each object anew is left out.
 */
describe.skipIf(KUBECONFIG === undefined)('native objects on the API server of KUBECONFIG', () => {
  let api: KubernetesApi;
  let namespace: Awaited<ReturnType<typeof makeNamespace>>;

  beforeAll(async () => {
    api = await apiOfKubeconfig();
    namespace = await makeNamespace(api);
    // nothing shall run: the objects are what is tested
    await create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'no-pods' },
      ...{ spec: { hard: { pods: '0' } } },
    });
  });

  afterAll(async () => {
    await namespace.remove();
  });

  /** @returns the object as the server stored it */
  async function create(object: KubernetesObject): Promise<Stored> {
    const metadata = { ...object.metadata, namespace: namespace.name };
    const kind = `${String(object.kind).toLowerCase()}s`;
    const [group, version] = object.apiVersion === 'v1' ? [['api'], 'v1'] : [['apis', 'apps'], 'v1'];
    const path = apiPath(...group, version, 'namespaces', namespace.name, kind);
    return (await must(api, { method: 'POST', path, body: { ...object, metadata } })) as Stored;
  }

  async function createAll(
    recording: Recording,
  ): Promise<{ deployment: Stored; services: Stored[]; configMaps: Stored[] }> {
    const cluster = buildCluster(requestOf(recording));
    const deployment = await create(cluster.deployment);
    const { uid } = deployment.metadata;
    const dependents = await Promise.all(cluster.dependents.map((object) => create(owned(object, uid))));
    const path = apiPath('apis', 'apps', 'v1', 'namespaces', namespace.name, 'deployments', cluster.clusterId);
    await must(api, { method: 'DELETE', path, body: { propagationPolicy: 'Background' } });
    for (const { kind, metadata } of dependents) {
      const resource = `${String(kind).toLowerCase()}s`;
      // its owner's end may have been quicker
      await api.request({
        method: 'DELETE',
        path: apiPath('api', 'v1', 'namespaces', namespace.name, resource, metadata.name),
      });
    }
    const ofKind = (wanted: string) =>
      dependents.filter(({ kind }) => kind === wanted).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return { deployment, services: ofKind('Service'), configMaps: ofKind('ConfigMap') };
  }

  describe.each(RECORDED_VERSIONS)('Flink %s', (version) => {
    const made = recordings(version).filter(
      ({ error, scenario }) => error === undefined && !LOSES_KEYS.includes(scenario),
    );

    it.each(made.map((recording) => [recording.scenario, recording] as const))('%s', async (_name, recording) => {
      const { deployment, services, configMaps } = await createAll(recording);
      expect(comparable(deployment)).toEqual(comparable(recording.deployment as unknown as Stored));
      expect(services.map(comparable)).toEqual(
        recording.services.map((service) => comparable(service as unknown as Stored)),
      );
      expect(configMaps.map((map) => comparable(map).metadata)).toEqual(
        recording.configMaps.map((map) => comparable(map as unknown as Stored).metadata),
      );
    });
  });
});

it.runIf(KUBECONFIG === undefined)('SKIPPED: native objects on a real API server', () => {
  process.stderr.write(
    'native objects were not compared on a real API server: start one with test/cluster/lab/up, set KUBECONFIG as it ' +
      'says, and run npx vitest run --project contract test/contract/native-objects.test.ts\n',
  );
});

interface Stored extends KubernetesObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly ownerReferences?: V1OwnerReference[] };
}

function owned(object: KubernetesObject, uid: string): KubernetesObject {
  const owners = (object.metadata?.ownerReferences ?? []).map((owner) => ({ ...owner, uid }));
  return { ...object, metadata: { ...object.metadata, ownerReferences: owners } };
}

/** Without what each server, or each creation, gives anew. */
function comparable(stored: Stored): Stored {
  const object = structuredClone(stored) as unknown as V1Deployment & V1Service;
  delete object.status;
  const { metadata = {}, spec } = object;
  for (const field of [
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'managedFields',
    'generation',
    'namespace',
  ] as const) {
    delete metadata[field];
  }
  if (object.kind !== 'Deployment') {
    metadata.ownerReferences = metadata.ownerReferences?.map((owner) => ({ ...owner, uid: '' })) ?? [];
  }
  if (object.kind === 'Service') dropAllocated(object);
  const template = (spec as V1Deployment['spec'] | undefined)?.template?.metadata;
  delete template?.creationTimestamp;
  return object as unknown as Stored;
}

/** What is allocated to a Service, and the defaults that the recordings leave out. */
function dropAllocated({ spec = {} }: V1Service): void {
  for (const field of [
    'clusterIPs',
    'ipFamilies',
    'ipFamilyPolicy',
    'internalTrafficPolicy',
    'externalTrafficPolicy',
    'sessionAffinity',
    'allocateLoadBalancerNodePorts',
  ] as const) {
    delete spec[field];
  }
  if (spec.clusterIP !== 'None') delete spec.clusterIP;
  for (const port of spec.ports ?? []) delete port.nodePort;
}
