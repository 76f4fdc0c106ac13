import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../core/json.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import type { Refusal } from '../policy/refusal.ts';

/** What is judged beside the value itself. */
export interface Context {
  readonly allow: AllowList;
  /** Names of ConfigMaps and Secrets that are the run's own. */
  readonly own: ReadonlySet<string>;
  /** Volumes of the deployment that its allow-list would give nobody: no mount of a user's may have them. */
  readonly closedVolumes: ReadonlySet<string>;
  /** The deployment has containers of its own in the pod, which share with the user's what a pod has once. */
  readonly hasOwnContainers: boolean;
  /** True for built objects, where Flink has put in its part; entries of lists then go by name. */
  readonly finished: boolean;
}

/** Where a value stands, and what the deployment itself would have there. */
export interface Place {
  readonly path: string;
  readonly base: unknown;
  readonly context: Context;
}

/** A refused thing: `token` is the name or value that was not allowed, by which its author's words are found. */
export interface Found extends Refusal {
  readonly token?: string;
}

export type Rule = (value: unknown, place: Place) => readonly Found[];

export function refuse(place: Place, message: string, token?: string): readonly Found[] {
  return [{ field: place.path, message, ...(token === undefined ? {} : { token }) }];
}

export function below(place: Place, name: string): Place {
  const step = /^[\w$-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  const base = isRecord(place.base) && Object.hasOwn(place.base, name) ? place.base[name] : undefined;
  return { ...place, path: `${place.path}${step}`, base };
}

/** What the deployment has itself needs no leave; an absent value asks for nothing. */
export function differs(value: unknown, { base }: Place): boolean {
  return value !== undefined && value !== null && !isDeepStrictEqual(value, base);
}

/** A map that may have these fields, each by its rule, and no other. */
export function fields(known: Readonly<Record<string, Rule>>): Rule {
  return (value, place) => {
    if (!isRecord(value)) return refuse(place, 'must be a mapping');
    return Object.entries(value).flatMap(([name, inner]) => {
      const at = below(place, name);
      if (!differs(inner, at)) return [];
      const rule = Object.hasOwn(known, name) ? known[name] : undefined;
      return rule === undefined ? refuse(at, 'is not allowed (allow.podTemplates)', name) : rule(inner, at);
    });
  };
}

/** A list whose entries are compared with the deployment's of the same key. */
export function items(rule: Rule, key = 'name'): Rule {
  return (value, place) => {
    if (!Array.isArray(value)) return refuse(place, 'must be a list');
    const theirs: readonly unknown[] = Array.isArray(place.base) ? place.base : [];
    return (value as readonly unknown[]).flatMap((item, i) => {
      const id = isRecord(item) ? item[key] : undefined;
      const base = theirs.find((other) =>
        id === undefined ? isDeepStrictEqual(other, item) : isRecord(other) && other[key] === id,
      );
      const label = place.context.finished && typeof id === 'string' ? id : String(i);
      const at = { ...place, path: `${place.path}[${label}]`, base };
      return differs(item, at) ? rule(item, at) : [];
    });
  };
}

/** Anything that is one value or a list of values. */
export const plain: Rule = (value, place) => {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.every((one) => ['string', 'number', 'boolean', 'bigint'].includes(typeof one))
    ? []
    : refuse(place, 'must be a plain value');
};

export function only(...allowed: readonly unknown[]): Rule {
  return (value, place) =>
    allowed.includes(value)
      ? []
      : refuse(
          place,
          `${show(value)} is not allowed: it may be ${allowed.map(show).join(' or ')} (allow.podTemplates)`,
        );
}

/** A name that a list of the configuration has to allow. */
export function named(list: string, isAllowed: (name: string, allow: AllowList) => boolean): Rule {
  return (value, place) => {
    const name = typeof value === 'string' ? value : show(value);
    if (typeof value === 'string' && (place.context.own.has(name) || isAllowed(name, place.context.allow))) return [];
    return refuse(place, `${name} is not allowed (${list})`, name);
  };
}

/** A map whose keys a list of the configuration has to allow. */
export function keyed(list: string, isAllowed: (key: string, allow: AllowList) => boolean): Rule {
  return (value, place) => {
    if (!isRecord(value)) return refuse(place, 'must be a mapping');
    return Object.entries(value).flatMap(([key, inner]) => {
      const at = below(place, key);
      if (!differs(inner, at)) return [];
      if (!isAllowed(key, place.context.allow)) return refuse(at, `${key} is not allowed (${list})`, key);
      return plain(inner, at);
    });
  };
}

export function show(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))).slice(0, 200);
}
