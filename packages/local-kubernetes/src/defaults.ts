import { isRecord, type KubeObject } from './objects.ts';
import { parseQuantity } from './quantity.ts';
import type { Resource } from './resources.ts';

type Fields = Record<string, unknown>;

function lists(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function fill(target: Fields, defaults: Fields): void {
  for (const [key, value] of Object.entries(defaults)) target[key] ??= value;
}

function defaultContainer(container: Fields): void {
  const image = typeof container['image'] === 'string' ? container['image'] : '';
  const latest = !/:[^/]+$/.test(image) || image.endsWith(':latest');
  fill(container, {
    imagePullPolicy: latest ? 'Always' : 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  for (const port of lists(container['ports'])) fill(port, { protocol: 'TCP' });
  const { limits, requests } = container['resources'] as { limits?: Fields; requests?: Fields };
  if (limits !== undefined) (container['resources'] as Fields)['requests'] = { ...limits, ...requests };
  for (const env of lists(container['env'])) {
    const from = isRecord(env['valueFrom']) ? env['valueFrom']['fieldRef'] : undefined;
    if (isRecord(from)) fill(from, { apiVersion: 'v1' });
  }
}

function defaultPodSpec(spec: Fields): void {
  spec['serviceAccountName'] ??= spec['serviceAccount'] ?? 'default';
  fill(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    serviceAccount: spec['serviceAccountName'],
    enableServiceLinks: true,
  });
  for (const container of [...lists(spec['initContainers']), ...lists(spec['containers'])]) defaultContainer(container);
  for (const volume of lists(spec['volumes'])) {
    if (isRecord(volume['configMap'])) fill(volume['configMap'], { defaultMode: 420 });
    if (isRecord(volume['secret'])) fill(volume['secret'], { defaultMode: 420 });
  }
}

function defaultTemplate(spec: Fields): void {
  spec['replicas'] ??= 1;
  const template = spec['template'];
  if (!isRecord(template)) return;
  template['metadata'] ??= {};
  if (isRecord(template['spec'])) {
    const { serviceAccountName, serviceAccount } = template['spec'];
    defaultPodSpec(template['spec']);
    // The real server defaults the service account when the pod is made, not in the template.
    if (serviceAccountName === undefined && serviceAccount === undefined) {
      delete template['spec']['serviceAccountName'];
      delete template['spec']['serviceAccount'];
    }
    delete template['spec']['enableServiceLinks'];
  }
}

function defaultService(spec: Fields): void {
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
  for (const port of lists(spec['ports'])) fill(port, { protocol: 'TCP', targetPort: port['port'] });
}

/** Fills in, on a copy, what the real server fills in and clients read. */
export function withDefaults(resource: Resource, object: KubeObject): KubeObject {
  const copy = structuredClone(object);
  if (resource.plural === 'secrets') return withEncodedData(copy);
  if (!isRecord(copy.spec)) return copy;
  if (resource.plural === 'pods') {
    defaultPodSpec(copy.spec);
    copy.status ??= { phase: 'Pending', qosClass: qosClass(copy.spec) };
  }
  if (resource.plural === 'replicasets') defaultTemplate(copy.spec);
  if (resource.plural === 'deployments') {
    fill(copy.spec, {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    defaultTemplate(copy.spec);
  }
  if (resource.plural === 'services') defaultService(copy.spec);
  return copy;
}

function withEncodedData(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  const encoded = Object.entries(isRecord(stringData) ? stringData : {}).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  const data = { ...rest.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
  return { type: 'Opaque', ...rest, metadata: secret.metadata, apiVersion: secret.apiVersion, kind: secret.kind, data };
}

function qosClass(spec: Fields): string {
  const resources = lists(spec['containers']).map(
    (container) => (container['resources'] ?? {}) as Record<string, Fields>,
  );
  const some = resources.some(({ limits, requests }) => limits !== undefined || requests !== undefined);
  if (!some) return 'BestEffort';
  const equal = ['cpu', 'memory'].every((name) =>
    resources.every(({ limits, requests }) => {
      const limit = parseQuantity(limits?.[name]);
      return limit !== undefined && limit === parseQuantity(requests?.[name]);
    }),
  );
  return equal ? 'Guaranteed' : 'Burstable';
}
