import { Document, parseDocument, visit, type Scalar } from 'yaml';
import { describeError, DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { MERGE_KEY } from '../../core/yaml.ts';
import type { ConfFiles } from '../cluster.ts';
import { flinkRules } from '../version.ts';
import { builtInConfiguration } from './built-in.ts';
import { FlinkConfiguration } from './configuration.ts';
import { JavaHashMap } from './java-map.ts';
import { successorOf } from './old-names.ts';
import { convertToString, toYamlString, YAML_STYLE, type ConfigValue } from './values.ts';

const CONFIG_YAML = 'config.yaml';
const FLINK_CONF_YAML = 'flink-conf.yaml';

/** The configuration of a conf folder as flat keys and strings, as `-Dkey=value` would give them. */
export function readConfiguration(files: ConfFiles | undefined, flinkVersion: string): Record<string, string> {
  return Object.fromEntries(loadConfiguration(files, flinkVersion).toStrings().entries());
}

/**
 * GlobalConfiguration.loadConfiguration: flink-conf.yaml before 2.0 if it is there, else config.yaml; without a folder
 * what that version's distribution ships.
 * @throws DispatchError `InvalidConfiguration`, `UnsupportedFlinkVersion`
 */
export function loadConfiguration(files: ConfFiles | undefined, flinkVersion: string): FlinkConfiguration {
  const rules = flinkRules(flinkVersion);
  if (files === undefined) return new FlinkConfiguration(true, builtInConfiguration(rules));
  const legacy = rules.readsFlinkConf ? files[FLINK_CONF_YAML] : undefined;
  if (legacy !== undefined) return new FlinkConfiguration(false, readLegacyLines(legacy));
  const text = files[CONFIG_YAML];
  if (text === undefined) {
    throw new DispatchError('InvalidConfiguration', `the conf folder has no ${CONFIG_YAML}`, { field: CONFIG_YAML });
  }
  return new FlinkConfiguration(true, readConfigYaml(text));
}

/** GlobalConfiguration.getFlinkConfFilename: the name under which the cluster will find its configuration. */
export function configFileName(configuration: FlinkConfiguration): string {
  return configuration.standardYaml ? CONFIG_YAML : FLINK_CONF_YAML;
}

/** GlobalConfiguration.loadYAMLResource: nested YAML, flattened. @throws DispatchError */
function readConfigYaml(text: string): [string, ConfigValue][] {
  const document = parseDocument(text, { version: '1.2', schema: 'core', intAsBigInt: true, logLevel: 'error' });
  const [error] = document.errors;
  // the parser's message quotes the line, which may hold a secret
  if (error !== undefined) throw malformed(`line ${error.linePos?.[0].line ?? '?'} is not valid YAML (${error.code})`);
  const root = toValue(document);
  if (root === null || root === undefined) return [];
  if (!isRecord(root)) throw malformed('it must be a mapping');
  const flat = new JavaHashMap<ConfigValue>();
  flatten(root, '', flat);
  return flat.entries();
}

/** An alias may name no anchor, or stand for more than a file can mean. */
function toValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw malformed(describeError(error));
  }
}

/** GlobalConfiguration.flatten: a list becomes its YAML text; an empty value is an error. */
function flatten(map: Record<string, unknown>, prefix: string, flat: JavaHashMap<ConfigValue>): void {
  for (const [name, value] of Object.entries(map)) {
    const key = prefix + name;
    if (name === MERGE_KEY) throw malformed(`'${key}': Flink knows no merge keys: write the merged keys out`, key);
    if (isRecord(value)) flatten(value, `${key}.`, flat);
    else if (Array.isArray(value)) flat.set(key, toYamlString(value));
    else if (isScalarValue(value)) flat.set(key, value);
    else throw malformed(`'${key}' has no value`, key);
  }
}

function isScalarValue(value: unknown): value is string | boolean | bigint | number {
  return ['string', 'boolean', 'bigint', 'number'].includes(typeof value);
}

function malformed(detail: string, field = CONFIG_YAML): DispatchError {
  return new DispatchError('InvalidConfiguration', `${CONFIG_YAML}: ${detail}`, { field });
}

/** GlobalConfiguration.loadLegacyYAMLResource: `key: value` lines, `#` begins a comment; other lines are skipped. */
function readLegacyLines(text: string): [string, ConfigValue][] {
  const entries: [string, ConfigValue][] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const content = (line.split('#', 1)[0] ?? '').trim();
    const colon = content.indexOf(': ');
    const key = content.slice(0, Math.max(colon, 0)).trim();
    const value = content.slice(colon + 2).trim();
    if (colon !== -1 && key !== '' && value !== '') entries.push([key, value]);
  }
  return entries;
}

/**
 * ConfigurationUtils.convertConfigToWritableLines: nested YAML, or `key: value` lines where a flink-conf.yaml is in use.
 * @throws DispatchError `InvalidConfiguration` when one key is a dotted prefix of another, which nested YAML cannot hold.
 */
export function writeConfiguration(configuration: FlinkConfiguration): string {
  const entries = configuration.entries();
  if (!configuration.standardYaml) {
    return entries.map(([key, value]) => `${key}: ${convertToString(value, false)}\n`).join('');
  }
  checkPrefixes(entries.map(([key]) => key));
  const document = new Document(nest(entries), YAML_STYLE);
  visit(document, { Scalar: (_at, node) => style(node) });
  return document.toString({ ...YAML_STYLE });
}

/** A Double stays one, 1.0 must not become 1; control characters but line ends are escaped, as readers differ about them. */
function style(node: Scalar): void {
  if (typeof node.value === 'number' && Number.isInteger(node.value)) node.minFractionDigits = 1;
  if (typeof node.value === 'string' && /[^\P{C}\n]/u.test(node.value)) node.type = 'QUOTE_DOUBLE';
}

/** YamlParserUtils.convertAndDumpYamlFromFlatMap. */
function nest(entries: readonly [string, ConfigValue][]): Map<string, unknown> {
  const root = new Map<string, unknown>();
  for (const [key, value] of entries) {
    const names = key.split('.');
    const last = names.pop() ?? key;
    let map = root;
    for (const name of names) {
      const child = map.get(name) ?? new Map<string, unknown>();
      map.set(name, child);
      map = child as Map<string, unknown>;
    }
    map.set(last, value);
  }
  return root;
}

/** @throws DispatchError `InvalidConfiguration` naming both keys, or the key to write in place of an old one. */
export function checkPrefixes(keys: Iterable<string>): void {
  const all = new Set(keys);
  for (const key of all) {
    for (let dot = key.indexOf('.'); dot !== -1; dot = key.indexOf('.', dot + 1)) {
      const parent = key.slice(0, dot);
      if (!all.has(parent)) continue;
      throw overlap(parent, key);
    }
  }
}

/** An old key is often given alone, beside keys that are not its author's: those are not named. */
function overlap(parent: string, key: string): DispatchError {
  const successor = successorOf(parent);
  const nested = `${CONFIG_YAML} is nested, so '${parent}' cannot have a value and further keys below it`;
  const both = successor === undefined ? `'${key}'` : 'keys below it';
  const instead = successor === undefined ? '' : `; write '${successor}' instead of '${parent}'`;
  return new DispatchError('InvalidConfiguration', `'${parent}' and ${both} cannot both be set: ${nested}${instead}`, {
    field: parent,
  });
}

/** Typed values as JSON can carry them. */
export function plainValue(value: ConfigValue): string | boolean | number | readonly string[] {
  return typeof value === 'bigint' ? Number(value) : value;
}
