import { isSensitiveKey } from '../../core/redaction/sensitive-keys.ts';
import { stringify } from 'yaml';
import type { JavaHashMap } from './java-map.ts';

/** A value of Flink's Configuration as Java types it: bigint for Integer and Long, number for Double. */
export type ConfigValue = string | boolean | bigint | number | readonly string[];

/** What an option's parser is given: a value, or the entries `key.*` of an option of map type. */
export type RawValue = ConfigValue | JavaHashMap<string>;

/** How YamlParserUtils writes YAML: core schema, no folding, plain where it can, else single quotes. */
export const YAML_STYLE = {
  version: '1.2',
  schema: 'core',
  lineWidth: 0,
  singleQuote: true,
  flowCollectionPadding: false,
  indentSeq: false,
  aliasDuplicateObjects: false,
} as const;

/** YamlParserUtils.toYAMLString: any value on one line of YAML. */
export function toYamlString(value: unknown): string {
  if (typeof value === 'number') return javaDouble(value);
  return stringify(value, { ...YAML_STYLE, collectionStyle: 'flow' }).replace(/\n$/, '');
}

/** ConfigurationUtils.convertToString; `standardYaml` is false where a flink-conf.yaml is in use. */
export function convertToString(value: unknown, standardYaml: boolean): string {
  if (typeof value === 'string') return value;
  if (standardYaml) return toYamlString(value);
  if (Array.isArray(value)) return value.map((item) => quoteLegacy(convertToString(item, false), ';')).join(';');
  return typeof value === 'number' ? javaDouble(value) : String(value);
}

/** StructuredOptionsSplitter.escapeWithSingleQuote. */
function quoteLegacy(text: string, delimiter: string): string {
  return text.includes(delimiter) || /["']/.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
}

/** Double.toString: at least one decimal, and computerised scientific notation outside 1e-3 to 1e7. */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

/** A value for a message, hidden when the key says so. */
export function showValue(key: string, value: unknown): string {
  return isSensitiveKey(key) ? '******' : `'${convertToString(value, true)}'`;
}
