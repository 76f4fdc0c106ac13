import { DispatchError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import type { ClusterRequest } from '../cluster.ts';
import { showValue } from '../config/values.ts';
import { buildCluster } from '../native/build-cluster.ts';
import { flinkRules, rankOf } from '../version.ts';
import { findOption, KUBERNETES_CATALOGUE } from './catalogue.ts';

/** Keys of other programs that share Flink's prefix. */
const FOREIGN = ['kubernetes.operator.', 'kubernetes.internal.'];
/** Edits, swapped neighbours counting as one, up to which an unknown key is taken for a misspelt one. */
const MAX_EDITS = 2;

/**
 * Checks a request before anything is created, and tells what Flink would silently ignore.
 * @returns warnings: keys that this Flink version does not know, deprecated keys, a version newer than the known ones.
 * @throws DispatchError whatever `buildCluster` throws, and `InvalidConfiguration` for a `kubernetes.*` key that is not
 * known but close to one that is.
 */
export function checkOptions(request: ClusterRequest): readonly string[] {
  const rules = flinkRules(request.flinkVersion);
  const warnings = Object.entries(request.options).flatMap(([key, value]) => checkKey(key, value, rules.rank));
  buildCluster(request);
  return rules.warning === undefined ? warnings : [rules.warning, ...warnings];
}

function checkKey(key: string, value: string, rank: number): string[] {
  const entry = findOption(key);
  if (entry === undefined) return checkUnknown(key, value);
  if (entry.since !== undefined && rankOf(entry.since) > rank) {
    return [`${key} ${showValue(key, value)} has no effect: Flink knows it from ${entry.since} on`];
  }
  if (entry.until !== undefined && rankOf(entry.until) < rank) {
    return [`${key} ${showValue(key, value)} has no effect: Flink knew it up to ${entry.until}`];
  }
  return entry.deprecated?.includes(key) === true ? [`${key} is deprecated: use ${entry.key}`] : [];
}

function checkUnknown(key: string, value: string): string[] {
  if (!key.startsWith('kubernetes.') || FOREIGN.some((prefix) => key.startsWith(prefix))) return [];
  const near = nearestKey(key);
  if (near === undefined) return [`${key} ${showValue(key, value)} is no option of Flink, and has no effect`];
  throw new DispatchError(
    'InvalidConfiguration',
    `${key} ${showValue(key, value)} is not known: did you mean ${near}?`,
    {
      field: key,
    },
  );
}

function nearestKey(key: string): string | undefined {
  const known = KUBERNETES_CATALOGUE.flatMap((entry) => [entry.key, ...(entry.deprecated ?? [])]);
  return nearest(key, known, MAX_EDITS);
}
