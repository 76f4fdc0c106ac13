import { applyPatch, type Operation } from 'rfc6902';
import { isDeepStrictEqual } from 'node:util';
import { ApiError, badRequest } from './errors.ts';
import { isRecord } from './objects.ts';

/** Lists that a strategic merge joins by a key, by field name. The others are replaced. */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  ports: ['containerPort', 'port'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  podIPs: ['ip'],
  addresses: ['type'],
};
/** Lists of plain values that a strategic merge joins. */
const MERGED_SETS = new Set(['finalizers']);

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Kubernetes' strategic merge, with its directives; the order that `$setElementOrder` asks for is not kept. */
export function strategicMerge(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) return mergeLists(Array.isArray(target) ? target : [], patch, field);
  if (!isRecord(patch)) return patch;
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  if (patch['$patch'] === 'delete') return undefined;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
  for (const [key, value] of Object.entries(patch)) mergeField(result, key, value);
  return result;
}

function mergeField(result: Record<string, unknown>, key: string, value: unknown): void {
  const removed = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1];
  if (removed !== undefined) {
    const list = result[removed];
    if (Array.isArray(list) && Array.isArray(value)) result[removed] = list.filter((item) => !value.includes(item));
    return;
  }
  if (key.startsWith('$')) return;
  const merged = value === null ? undefined : strategicMerge(result[key], value, key);
  if (merged === undefined) delete result[key];
  else result[key] = merged;
}

function mergeLists(target: readonly unknown[], patch: readonly unknown[], field: string): unknown[] {
  if (MERGED_SETS.has(field)) return [...new Set([...target, ...patch])];
  if (patch.some((item) => isRecord(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => !(isRecord(item) && item['$patch'] === 'replace'));
  }
  const sample = patch.find(isRecord) ?? {};
  const mergeKey = MERGE_KEYS[field]?.find((key) => key in sample);
  if (mergeKey === undefined) return patch.map(withoutDirectives);
  const result = [...target];
  for (const item of patch) {
    const at = result.findIndex(
      (old) => isRecord(old) && isRecord(item) && isDeepStrictEqual(old[mergeKey], item[mergeKey]),
    );
    const merged = strategicMerge(at < 0 ? undefined : result[at], item);
    if (at < 0 && merged !== undefined) result.push(merged);
    else if (merged === undefined) result.splice(at, at < 0 ? 0 : 1);
    else result[at] = merged;
  }
  return result;
}

function withoutDirectives(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')));
}

/** RFC 6902. @throws ApiError 400, 422 when a test or a path fails */
function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations');
  const result = structuredClone(target);
  const failed = applyPatch(result, operations as Operation[]).find((error) => error !== null);
  if (failed !== undefined) throw new ApiError(422, 'Invalid', `the server rejected our request: ${failed.message}`);
  return result;
}

/** Applies a patch by its content type. Server-side apply merges; it keeps no field managers. @throws ApiError 400, 415, 422 */
export function applyPatchBody(target: unknown, body: unknown, contentType: string): unknown {
  switch (contentType) {
    case 'application/merge-patch+json':
      return mergePatch(target, body);
    case 'application/strategic-merge-patch+json':
    case 'application/apply-patch+yaml':
      return strategicMerge(target, body);
    case 'application/json-patch+json':
      return jsonPatch(target, body);
    default:
      throw new ApiError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml (not "${contentType}")`,
      );
  }
}
