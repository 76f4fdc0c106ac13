import { invalid, type FieldError } from './errors.ts';
import { isRecord, type KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';
import { selects } from './selectors.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SERVICE_NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

function nameErrors(resource: Resource, name: string): FieldError[] {
  const rbac = resource.group === 'rbac.authorization.k8s.io';
  if (rbac && !/[/%]/.test(name)) return [];
  const [pattern, limit] =
    resource.plural === 'services'
      ? [SERVICE_NAME, 63]
      : resource.plural === 'namespaces'
        ? [LABEL_NAME, 63]
        : [SUBDOMAIN, 253];
  const field = 'metadata.name';
  if (name.length > limit) {
    const message = `Invalid value: ${JSON.stringify(name)}: must be no more than ${String(limit)} characters`;
    return [{ field, reason: 'FieldValueInvalid', message }];
  }
  if (pattern.test(name)) return [];
  const message = `Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`;
  return [{ field, reason: 'FieldValueInvalid', message }];
}

function labelErrors(object: KubeObject): FieldError[] {
  const bad = Object.entries(object.metadata.labels ?? {}).filter(
    ([, value]) => typeof value !== 'string' || value.length > 63 || !LABEL_VALUE.test(value),
  );
  return bad.map(([, value]) => ({
    field: 'metadata.labels',
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', at most 63 of them`,
  }));
}

function required(field: string, value: unknown): FieldError[] {
  const missing = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  return missing ? [{ field, reason: 'FieldValueRequired', message: 'Required value' }] : [];
}

function podErrors(spec: unknown, at: string): FieldError[] {
  if (!isRecord(spec)) return required(at, undefined);
  const containers = Array.isArray(spec['containers']) ? spec['containers'].filter(isRecord) : [];
  const errors = required(`${at}.containers`, containers);
  const volumes = Array.isArray(spec['volumes'])
    ? spec['volumes'].filter(isRecord).map((volume) => volume['name'])
    : [];
  containers.forEach((container, index) => {
    const path = `${at}.containers[${String(index)}]`;
    errors.push(...required(`${path}.name`, container['name']), ...required(`${path}.image`, container['image']));
    const mounts = Array.isArray(container['volumeMounts']) ? container['volumeMounts'].filter(isRecord) : [];
    mounts.forEach((mount, at) => {
      if (volumes.includes(mount['name'])) return;
      const field = `${path}.volumeMounts[${String(at)}].name`;
      errors.push({ field, reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(mount['name'])}` });
    });
  });
  return errors;
}

function workloadErrors(object: KubeObject): FieldError[] {
  const spec = isRecord(object.spec) ? object.spec : {};
  const template = isRecord(spec['template']) ? spec['template'] : {};
  const metadata = isRecord(template['metadata']) ? template['metadata'] : {};
  const errors = [...required('spec.selector', spec['selector']), ...podErrors(template['spec'], 'spec.template.spec')];
  const labels = (metadata['labels'] ?? {}) as Record<string, string>;
  if (isRecord(spec['selector']) && !selects(spec['selector'], labels)) {
    const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
    errors.push({ field: 'spec.template.metadata.labels', reason: 'FieldValueInvalid', message });
  }
  return errors;
}

function specErrors(resource: Resource, object: KubeObject): FieldError[] {
  switch (resource.plural) {
    case 'pods':
      return podErrors(object.spec, 'spec');
    case 'deployments':
    case 'replicasets':
      return workloadErrors(object);
    case 'services':
      return isRecord(object.spec) && object.spec['type'] === 'ExternalName'
        ? []
        : isRecord(object.spec) && object.spec['clusterIP'] === 'None'
          ? []
          : required('spec.ports', isRecord(object.spec) ? object.spec['ports'] : undefined);
    default:
      return [];
  }
}

/** The checks of the real API server that clients run into. @throws ApiError 422 */
export function validate(resource: Resource, object: KubeObject): void {
  const { name } = object.metadata;
  const errors = [...nameErrors(resource, name), ...labelErrors(object), ...specErrors(resource, object)];
  if (errors.length > 0) throw invalid(resource, name, errors);
}
