import { parse } from 'yaml';
import { isRecord } from '../../core/json.ts';
import { toJavaMap, JavaHashMap } from '../config/java-map.ts';
import { splitEscaped } from '../config/split.ts';
import { convertToString, type RawValue } from '../config/values.ts';
import { parseMemorySize } from '../memory/size.ts';

/** A key that is read when the option's own is absent (org.apache.flink.configuration.FallbackKey). */
export interface FallbackKey {
  readonly key: string;
  readonly deprecated: boolean;
}

/** org.apache.flink.configuration.ConfigOption. `parse` throws Error for a value that Flink would refuse. */
export interface Option<T> {
  readonly key: string;
  readonly type: string;
  readonly fallbackKeys: readonly FallbackKey[];
  readonly isMap: boolean;
  readonly parse: (raw: RawValue, standardYaml: boolean) => T;
}

export interface DefaultedOption<T> extends Option<T> {
  readonly default: T;
}

export interface OptionKeys {
  readonly fallback?: readonly string[];
  readonly deprecated?: readonly string[];
}

type Parser<T> = Option<T>['parse'];

function make<T>(key: string, type: string, parser: Parser<T>, keys: OptionKeys): Option<T> {
  // fallback keys come before deprecated ones, whatever the order of declaration (ConfigOption.withFallbackKeys)
  const fallbackKeys = [
    ...(keys.fallback ?? []).map((name) => ({ key: name, deprecated: false })),
    ...(keys.deprecated ?? []).map((name) => ({ key: name, deprecated: true })),
  ];
  return { key, type, fallbackKeys, isMap: type === 'Map', parse: parser };
}

export const option = {
  string: (key: string, keys: OptionKeys = {}): Option<string> => make(key, 'String', toText, keys),
  int: (key: string, keys: OptionKeys = {}): Option<number> => make(key, 'Integer', toInt, keys),
  double: (key: string, keys: OptionKeys = {}): Option<number> => make(key, 'Double', toDouble, keys),
  float: (key: string, keys: OptionKeys = {}): Option<number> =>
    make(key, 'Float', (raw) => Math.fround(toDouble(raw)), keys),
  boolean: (key: string, keys: OptionKeys = {}): Option<boolean> => make(key, 'Boolean', toBoolean, keys),
  memory: (key: string, keys: OptionKeys = {}): Option<bigint> =>
    make(key, 'MemorySize', (raw) => parseMemorySize(javaText(raw)), keys),
  duration: (key: string, keys: OptionKeys = {}): Option<string> => make(key, 'Duration', javaText, keys),
  enumeration: <E extends string>(key: string, values: readonly E[], keys: OptionKeys = {}): Option<E> =>
    make(key, 'Enum', (raw) => toEnum(raw, values), keys),
  map: (key: string, keys: OptionKeys = {}): Option<JavaHashMap<string>> => make(key, 'Map', toMap, keys),
  list: (key: string, keys: OptionKeys = {}): Option<readonly string[]> => make(key, 'List<String>', toList, keys),
  mapList: (key: string, keys: OptionKeys = {}): Option<readonly JavaHashMap<string>[]> =>
    make(key, 'List<Map>', toMapList, keys),
};

export function withDefault<T>(base: Option<T>, value: NoInfer<T>): DefaultedOption<T> {
  return { ...base, default: value };
}

/** ConfigurationUtils.convertToString. */
function toText(raw: RawValue, standardYaml: boolean): string {
  return convertToString(raw, standardYaml);
}

/** Object.toString of a scalar. */
function javaText(raw: RawValue): string {
  return convertToString(raw, false);
}

/** ConfigurationUtils.convertToInt. */
function toInt(raw: RawValue): number {
  const text = javaText(raw);
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || Math.abs(value) > 2_147_483_647) throw new Error('a whole number is expected');
  return value;
}

/** ConfigurationUtils.convertToDouble; the syntax is Double.parseDouble's. */
function toDouble(raw: RawValue): number {
  const text = javaText(raw).trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[df]?$/i.test(text)) throw new Error('a number is expected');
  return Number(text.replace(/[df]$/i, ''));
}

/** ConfigurationUtils.convertToBoolean. */
function toBoolean(raw: RawValue): boolean {
  const text = javaText(raw).toUpperCase();
  if (text !== 'TRUE' && text !== 'FALSE') throw new Error('true or false is expected');
  return text === 'TRUE';
}

/** ConfigurationUtils.convertToEnum: case does not matter. */
function toEnum<E extends string>(raw: RawValue, values: readonly E[]): E {
  const text = javaText(raw).toUpperCase();
  const found = values.find((value) => value.toUpperCase() === text);
  if (found === undefined) throw new Error(`one of ${values.join(', ')} is expected`);
  return found;
}

/** ConfigurationUtils.convertToProperties: YAML where config.yaml is in use, else and on any error `k:v,k:v`. */
function toMap(raw: RawValue, standardYaml: boolean): JavaHashMap<string> {
  if (raw instanceof JavaHashMap) return raw;
  const text = javaText(raw);
  if (standardYaml) {
    const read = tryYaml(text);
    const map = isRecord(read) ? yamlMap(read) : undefined;
    if (map !== undefined) return map;
  }
  return legacyMap(text);
}

/** ConfigurationUtils.convertToList of strings. */
function toList(raw: RawValue, standardYaml: boolean): readonly string[] {
  if (Array.isArray(raw)) return raw as readonly string[];
  const text = javaText(raw);
  const read = standardYaml ? tryYaml(text) : undefined;
  if (Array.isArray(read) && read.every(isPresent)) return read.map((item) => convertToString(item, true));
  return splitEscaped(text, ';');
}

/** ConfigurationUtils.convertToList of maps. */
function toMapList(raw: RawValue, standardYaml: boolean): readonly JavaHashMap<string>[] {
  const text = javaText(raw);
  const read = standardYaml ? tryYaml(text) : undefined;
  if (Array.isArray(read) && read.every(isRecord)) {
    const maps = read.map(yamlMap);
    if (maps.every(isPresent)) return maps;
  }
  return splitEscaped(text, ';').map((item) => toMap(item, standardYaml));
}

function isPresent<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** Undefined stands for what makes Flink fall back to its older syntax: an empty value. */
function yamlMap(map: Record<string, unknown>): JavaHashMap<string> | undefined {
  const entries = Object.entries(map);
  if (!entries.every(([, value]) => isPresent(value))) return undefined;
  return toJavaMap(entries.map(([key, value]) => [key, convertToString(value, true)]));
}

function legacyMap(text: string): JavaHashMap<string> {
  return toJavaMap(
    splitEscaped(text, ',').map((item): [string, string] => {
      const [key, value, ...more] = splitEscaped(item, ':');
      if (key === undefined || value === undefined || more.length > 0) {
        throw new Error(`key:value pairs, separated by commas, are expected; a value with ':' needs quotes`);
      }
      return [key, value];
    }),
  );
}

function tryYaml(text: string): unknown {
  try {
    return parse(text, { version: '1.2', schema: 'core', intAsBigInt: true, logLevel: 'error' });
  } catch {
    return undefined;
  }
}
