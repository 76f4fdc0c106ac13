import { isRecord } from '../core/json.ts';
import type { JobSpec } from './spec.ts';

/**
 * One spec of several, lowest layer first: maps merge key by key, everything else, lists too, is replaced by the higher
 * layer.
 */
export function mergeLayers(layers: readonly JobSpec[]): JobSpec {
  return layers.reduce<JobSpec>((below, above) => merge(below, above) as JobSpec, {});
}

function merge(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isRecord(below) || !isRecord(above)) return above;
  const result: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const merged = merge(below[key], value);
    if (merged !== undefined) result[key] = merged;
  }
  return result;
}
