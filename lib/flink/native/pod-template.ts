import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { parseDocument } from 'yaml';
import { DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';

/** Maps of text, and fields and lists that are text, of a pod's model. */
const TEXT_MAPS = new Set(['labels', 'annotations', 'nodeSelector', 'matchLabels']);
const TEXT_FIELDS = new Set(['value', 'command', 'args', 'name', 'namespace']);

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
  return merge(typed, load(text, 'failsafe', key), false) as V1PodTemplateSpec;
}

/** A pod template that is no file: numbers and booleans in places of text become text. */
export function asPodTemplate(template: V1PodTemplateSpec): V1PodTemplateSpec {
  return merge(template, undefined, false) as V1PodTemplateSpec;
}

/** In the failsafe schema every scalar is the text that stands in the file. */
function load(text: string, schema: 'core' | 'failsafe', key: string): unknown {
  const document = parseDocument(text, { version: '1.2', schema, logLevel: 'error' });
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

function merge(typed: unknown, written: unknown, isText: boolean): unknown {
  if (Array.isArray(typed))
    return typed.map((item, i) => merge(item, Array.isArray(written) ? written[i] : undefined, isText));
  if (isRecord(typed)) {
    return Object.fromEntries(
      Object.entries(typed).map(([name, value]) => {
        const below = isRecord(written) ? written[name] : undefined;
        const text = isRecord(value) ? TEXT_MAPS.has(name) : isText || TEXT_FIELDS.has(name);
        return [name, merge(value, below, text)];
      }),
    );
  }
  if (!isText || (typeof typed !== 'number' && typeof typed !== 'boolean')) return typed;
  return typeof written === 'string' ? written : String(typed);
}
