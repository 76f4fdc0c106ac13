import type { KubernetesObject } from '@kubernetes/client-node';
import { isRecord } from '../../../../lib/core/json.ts';
import type { FlinkCluster } from '../../../../lib/flink/cluster.ts';

export interface Change {
  /** `Deployment/a`, or `configuration`. */
  readonly object: string;
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What differs between two clusters, field by field: the objects first, then what the cluster's processes will read. */
export function differences(before: FlinkCluster, after: FlinkCluster): Change[] {
  const [left, right] = [fieldsOf(before), fieldsOf(after)];
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys].flatMap((key) => {
    const [was, is] = [left.get(key), right.get(key)];
    if (JSON.stringify(was?.value) === JSON.stringify(is?.value)) return [];
    const { object, path } = (is ?? was) as Field;
    return [{ object, path, ...(was && { before: was.value }), ...(is && { after: is.value }) }];
  });
}

interface Field {
  readonly object: string;
  readonly path: string;
  readonly value: unknown;
}

function fieldsOf(cluster: FlinkCluster): Map<string, Field> {
  const objects = [cluster.deployment, ...cluster.dependents].flatMap((object) => {
    const name = `${object.kind ?? ''}/${object.metadata?.name ?? ''}`;
    return leaves(withoutConfigFile(object), '').map(([path, value]) => ({ object: name, path, value }));
  });
  const configuration = Object.entries(cluster.configuration).map(([path, value]) => ({
    object: 'configuration',
    path,
    value,
  }));
  return new Map([...objects, ...configuration].map((field) => [`${field.object} ${field.path}`, field]));
}

/** Its content is what `configuration` says, key by key. */
function withoutConfigFile(object: KubernetesObject): unknown {
  const data = (object as { data?: Record<string, string> }).data;
  if (data === undefined) return object;
  const others = Object.entries(data).filter(([name]) => name !== 'config.yaml' && name !== 'flink-conf.yaml');
  return { ...object, data: Object.fromEntries(others) };
}

/** Lists of named things, such as containers and volumes, are told apart by name, not by place. */
function leaves(value: unknown, path: string): [string, unknown][] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item: unknown, index) => {
      const name = isRecord(item) && typeof item['name'] === 'string' ? item['name'] : String(index);
      return leaves(item, `${path}[${name}]`);
    });
  }
  if (isRecord(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, member]) => leaves(member, path === '' ? key : `${path}.${key}`));
  }
  return [[path, value]];
}
