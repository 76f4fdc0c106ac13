import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { parseDocument } from 'yaml';
import { DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { MERGE_KEY, YAML_OF_KUBERNETES } from '../../core/yaml.ts';
import { asPodModel } from './pod-model.ts';

/**
 * Fabric8FlinkKubeClient.loadPodFromTemplateFile. Jackson, by which the client reads the file, takes what is written
 * where the model has text: `version: 1.0` is the label "1.0", not "1".
 * @throws DispatchError `InvalidConfiguration`
 */
export function readPodTemplate(text: string, key: string): V1PodTemplateSpec {
  const typed = load(text, 'core', key);
  if (!isRecord(typed)) {
    throw new DispatchError('InvalidConfiguration', `${key}: the pod template must be a mapping`, { field: key });
  }
  const merged = mergeKeyIn(typed, '');
  if (merged !== undefined) {
    const message = `${key}: the merge key << ${merged} of the pod template is not supported: write the merged keys out`;
    throw new DispatchError('InvalidConfiguration', message, { field: key });
  }
  return asPodModel(typed, load(text, 'failsafe', key)) as V1PodTemplateSpec;
}

/** A pod template that is no file. */
export function asPodTemplate(template: V1PodTemplateSpec): V1PodTemplateSpec {
  return asPodModel(template) as V1PodTemplateSpec;
}

/** Where the first one is. */
function mergeKeyIn(value: unknown, path: string): string | undefined {
  const members = Array.isArray(value) ? [...value.entries()] : isRecord(value) ? Object.entries(value) : [];
  for (const [name, member] of members) {
    if (name === MERGE_KEY) return path === '' ? 'at the top' : `in ${path}`;
    const found = mergeKeyIn(member, path === '' ? String(name) : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** In the failsafe schema every scalar is the text that stands in the file. */
function load(text: string, schema: 'core' | 'failsafe', key: string): unknown {
  const style = schema === 'core' ? YAML_OF_KUBERNETES : ({ version: '1.2', schema, logLevel: 'error' } as const);
  const document = parseDocument(text, style);
  const [error] = document.errors;
  const where = error === undefined ? 'an alias' : `line ${error.linePos?.[0].line ?? '?'}`;
  try {
    if (error === undefined) return document.toJS();
  } catch {
    // an alias without its anchor, or one that stands for more than a template can mean
  }
  throw new DispatchError('InvalidConfiguration', `${key}: ${where} of the pod template is not valid YAML`, {
    field: key,
  });
}
