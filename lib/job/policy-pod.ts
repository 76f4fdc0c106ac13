import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { isRecord } from '../core/json.ts';
import type { AllowList } from './deployment.ts';
import { matchesAny } from './glob.ts';
import { grantsRole } from './policy-options.ts';
import { checkVolume } from './policy-volume.ts';
import type { Refusal } from './policy.ts';
import { parseQuantity } from './quantity.ts';

type Fields = Record<string, unknown>;

/** Fields of a pod that let nothing out of it. All others are refused: what Kubernetes adds later, too. */
const POD_FIELDS = new Set(
  (
    'containers initContainers volumes nodeSelector affinity tolerations topologySpreadConstraints imagePullSecrets ' +
    'securityContext serviceAccountName serviceAccount automountServiceAccountToken terminationGracePeriodSeconds ' +
    'dnsPolicy dnsConfig hostAliases restartPolicy enableServiceLinks activeDeadlineSeconds hostNetwork hostPID hostIPC'
  ).split(' '),
);
const CONTAINER_FIELDS = new Set(
  (
    'name image imagePullPolicy command args env envFrom ports resources volumeMounts livenessProbe readinessProbe ' +
    'startupProbe lifecycle securityContext workingDir terminationMessagePath terminationMessagePolicy restartPolicy'
  ).split(' '),
);
const SECURITY_FIELDS = new Set(
  (
    'runAsUser runAsGroup runAsNonRoot fsGroup fsGroupChangePolicy supplementalGroups seccompProfile ' +
    'readOnlyRootFilesystem allowPrivilegeEscalation privileged capabilities'
  ).split(' '),
);

/** What `allow.podTemplates` refuses of one template as its author wrote it. */
export function checkPodTemplate(template: V1PodTemplateSpec, field: string, allow: AllowList): Refusal[] {
  if (allow.podTemplates === 'any') return [];
  if (allow.podTemplates === 'none') return [{ field, message: 'pod templates are not allowed (allow.podTemplates)' }];
  const { metadata, spec } = template as unknown as { metadata?: Fields; spec?: Fields };
  const annotations = Object.keys(record(metadata?.['annotations'])).filter(grantsRole);
  return [
    ...annotations.map((key) => ({ field: `${field}.metadata.annotations`, message: `${key} is not allowed` })),
    ...(spec === undefined ? [] : checkPod(spec, `${field}.spec`, allow)),
  ];
}

function checkPod(pod: Fields, field: string, allow: AllowList): Refusal[] {
  const accounts = ['serviceAccountName', 'serviceAccount'].filter(
    (key) => pod[key] !== undefined && !matchesAny(allow.serviceAccounts, textOf(pod[key])),
  );
  const hosts = ['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => pod[key] !== undefined && pod[key] !== false);
  const pulls = list(pod['imagePullSecrets']).filter((secret) => !matchesAny(allow.secrets, nameOf(secret)));
  return [
    ...unknownFields(pod, POD_FIELDS, field),
    ...hosts.map((key) => refusal(`${field}.${key}`, 'is not allowed (allow.podTemplates)')),
    ...accounts.map((key) => refusal(`${field}.${key}`, `${textOf(pod[key])} is not allowed (allow.serviceAccounts)`)),
    ...pulls.map((secret) => refusal(`${field}.imagePullSecrets`, `${nameOf(secret)} is not allowed (allow.secrets)`)),
    ...checkSecurity(record(pod['securityContext']), `${field}.securityContext`),
    ...list(pod['volumes']).flatMap((volume, i) => checkVolume(volume, `${field}.volumes[${i}]`, allow)),
    ...(['containers', 'initContainers'] as const).flatMap((key) =>
      list(pod[key]).flatMap((container, i) => checkContainer(container, `${field}.${key}[${i}]`, allow)),
    ),
  ];
}

function checkContainer(container: Fields, field: string, allow: AllowList): Refusal[] {
  const { image } = container;
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'].filter((key) =>
    namesHost(container[key]),
  );
  const hostPorts = list(container['ports']).filter(
    (port) => port['hostPort'] !== undefined || port['hostIP'] !== undefined,
  );
  const mounts = list(container['volumeMounts']).filter((mount) => mount['mountPropagation'] === 'Bidirectional');
  return [
    ...unknownFields(container, CONTAINER_FIELDS, field),
    ...(image === undefined || (typeof image === 'string' && matchesAny(allow.images, image))
      ? []
      : [refusal(`${field}.image`, `${textOf(image)} is not allowed (allow.images)`)]),
    ...probes.map((key) => refusal(`${field}.${key}`, 'must not name a host: the node itself would call it')),
    ...hostPorts.map(() => refusal(`${field}.ports`, 'must not name a port of the host')),
    ...mounts.map(() => refusal(`${field}.volumeMounts`, 'must not propagate mounts to the host')),
    ...checkEnvironment(container, field, allow),
    ...checkSecurity(record(container['securityContext']), `${field}.securityContext`),
    ...checkAmounts(record(container['resources']), `${field}.resources`, allow),
  ];
}

function checkEnvironment(container: Fields, field: string, allow: AllowList): Refusal[] {
  const one = list(container['env']).flatMap((entry) => nameIfAny(record(record(entry['valueFrom'])['secretKeyRef'])));
  const all = list(container['envFrom']).flatMap((entry) => nameIfAny(record(entry['secretRef'])));
  return [...one, ...all]
    .filter((name) => !matchesAny(allow.secrets, name))
    .map((name) => refusal(`${field}.env`, `the secret ${name} is not allowed (allow.secrets)`));
}

function checkSecurity(context: Fields, field: string): Refusal[] {
  const wrong: string[] = [];
  if (context['privileged'] !== undefined && context['privileged'] !== false) wrong.push('privileged');
  if (context['allowPrivilegeEscalation'] !== undefined && context['allowPrivilegeEscalation'] !== false)
    wrong.push('allowPrivilegeEscalation');
  if (context['runAsUser'] === 0) wrong.push('runAsUser');
  if (context['runAsNonRoot'] === false) wrong.push('runAsNonRoot');
  if (record(context['capabilities'])['add'] !== undefined) wrong.push('capabilities.add');
  if (record(context['seccompProfile'])['type'] === 'Unconfined') wrong.push('seccompProfile');
  return [
    ...unknownFields(context, SECURITY_FIELDS, field),
    ...wrong.map((key) => refusal(`${field}.${key}`, 'is not allowed (allow.podTemplates)')),
  ];
}

function checkAmounts(resources: Fields, field: string, { maxResources }: AllowList): Refusal[] {
  return (['requests', 'limits'] as const).flatMap((part) =>
    (['cpu', 'memory'] as const).flatMap((name) => {
      const amount = record(resources[part])[name];
      if (amount === undefined || (parseQuantity(textOf(amount)) ?? NaN) <= maxResources[name]) return [];
      return [refusal(`${field}.${part}.${name}`, `${textOf(amount)} is more than is allowed (allow.maxResources)`)];
    }),
  );
}

function unknownFields(value: Fields, known: ReadonlySet<string>, field: string): Refusal[] {
  return Object.keys(value)
    .filter((key) => !known.has(key))
    .map((key) => refusal(`${field}.${key}`, 'is not allowed (allow.podTemplates)'));
}

function namesHost(probe: unknown): boolean {
  if (Array.isArray(probe)) return probe.some(namesHost);
  if (!isRecord(probe)) return false;
  return Object.entries(probe).some(([key, value]) => (key === 'host' && value !== '') || namesHost(value));
}

function refusal(field: string, message: string): Refusal {
  return { field, message };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function nameIfAny(reference: Fields): string[] {
  return Object.keys(reference).length === 0 ? [] : [nameOf(reference)];
}

function nameOf(reference: Fields): string {
  return typeof reference['name'] === 'string' ? reference['name'] : '';
}

function record(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(record) : [];
}
