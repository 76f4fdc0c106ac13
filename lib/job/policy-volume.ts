import { isRecord } from '../core/json.ts';
import type { AllowList } from './deployment.ts';
import { matchesAny } from './glob.ts';
import type { Refusal } from './policy.ts';

type Fields = Record<string, unknown>;

const HARMLESS = new Set(['emptyDir', 'configMap', 'downwardAPI', 'ephemeral']);

/** Volumes of the pod's own, and those that the allow-list names: never a path of the host. */
export function checkVolume(volume: Fields, field: string, allow: AllowList): Refusal[] {
  return Object.entries(volume)
    .filter(([key]) => key !== 'name' && !HARMLESS.has(key))
    .flatMap(([key, source]) => checkSource(key, isRecord(source) ? source : {}, `${field}.${key}`, allow));
}

function checkSource(kind: string, source: Fields, field: string, allow: AllowList): Refusal[] {
  if (kind === 'secret') return named(source['secretName'], field, allow.secrets, 'allow.secrets');
  if (kind === 'persistentVolumeClaim') {
    return named(source['claimName'], field, allow.persistentVolumeClaims, 'allow.persistentVolumeClaims');
  }
  if (kind !== 'projected') return [{ field, message: 'is not allowed (allow.podTemplates)' }];
  const parts: unknown[] = Array.isArray(source['sources']) ? source['sources'] : [];
  return parts.flatMap((part, i) =>
    Object.entries(isRecord(part) ? part : {})
      .filter(([key]) => key !== 'configMap' && key !== 'downwardAPI')
      .flatMap(([key, inner]) => {
        const at = `${field}.sources[${i}].${key}`;
        if (key !== 'secret') return [{ field: at, message: 'is not allowed (allow.podTemplates)' }];
        return named(isRecord(inner) ? inner['name'] : undefined, at, allow.secrets, 'allow.secrets');
      }),
  );
}

function named(name: unknown, field: string, patterns: readonly string[], rule: string): Refusal[] {
  const text = typeof name === 'string' ? name : '';
  return matchesAny(patterns, text) ? [] : [{ field, message: `${text} is not allowed (${rule})` }];
}
