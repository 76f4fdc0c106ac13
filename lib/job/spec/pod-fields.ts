import { isRecord } from '../../core/json.ts';
import { nearest } from '../../core/nearest.ts';
import models from './pod-fields.json' with { type: 'json' };

/** By model of the Kubernetes API: its fields, each with the model below it, or with nothing. */
const MODELS: Readonly<Record<string, Readonly<Record<string, string>>>> = models;

export interface UnknownField {
  readonly path: readonly (string | number)[];
  /** The end of a sentence about it. */
  readonly message: string;
}

/** Fields of a pod template that no pod has: an API server would drop them, and with them what was meant. */
export function unknownPodFields(template: unknown): readonly UnknownField[] {
  return unknownIn(template, 'V1PodTemplateSpec', []);
}

function unknownIn(value: unknown, model: string, path: UnknownField['path']): readonly UnknownField[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => unknownIn(item, model, [...path, i]));
  const fields = Object.hasOwn(MODELS, model) ? MODELS[model] : undefined;
  if (fields === undefined || !isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const below = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (below !== undefined) return unknownIn(member, below, [...path, name]);
    return [{ path: [...path, name], message: `is not a known field${hint(name, Object.keys(fields))}` }];
  });
}

function hint(name: string, known: readonly string[]): string {
  const begun = known.find((field) => field.length >= 3 && name.toLowerCase().startsWith(field.toLowerCase()));
  const near = nearest(name, known) ?? begun;
  return near === undefined ? `: known here are ${known.join(', ')}` : `: did you mean ${near}?`;
}
