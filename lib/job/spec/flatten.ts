import { isRecord } from '../../core/json.ts';
import { toYamlString } from '../../flink/config/values.ts';
import type { FlinkOptions } from '../job.ts';

export class FlattenError extends Error {
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

/**
 * Flink options from nested or dotted keys; a list becomes Flink's `a;b;c`, or the YAML text of a list where that could be
 * read otherwise.
 * @throws FlattenError for a key that is given twice, or a value that is nothing.
 */
export function flattenOptions(value: Readonly<Record<string, unknown>>): FlinkOptions {
  const flat = new Map<string, string>();
  const visit = (node: unknown, key: string): void => {
    if (isRecord(node)) {
      for (const [name, member] of Object.entries(node)) visit(member, key === '' ? name : `${key}.${name}`);
      return;
    }
    if (flat.has(key)) throw new FlattenError(key, 'is given twice, once nested and once dotted');
    flat.set(key, Array.isArray(node) ? list(node, key) : scalar(node, key));
  };
  visit(value, '');
  return Object.fromEntries(flat);
}

/** ConfigurationUtils.convertToList reads YAML first, and Flink's own `a;b` where the text is no YAML list. */
function list(items: readonly unknown[], key: string): string {
  if (items.every(isPlain)) return items.map((item) => scalar(item, key)).join(';');
  return toYamlString(items.map((item) => yamlValue(item, key)));
}

/** No separator, no quote, no edge of blanks, and nothing by which the text would begin a YAML list. */
function isPlain(item: unknown): boolean {
  if (typeof item !== 'string') return typeof item === 'number' || typeof item === 'boolean';
  return item !== '' && item === item.trim() && !/[;'"\n]|^\[|^-( |$)/.test(item);
}

function yamlValue(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => yamlValue(item, key));
  if (!isRecord(value)) {
    scalar(value, key);
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, yamlValue(member, key)]));
}

function scalar(value: unknown, key: string): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') throw new FlattenError(key, 'must be text, a number, true or false');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new FlattenError(key, 'is too large a number to be exact: put it in quotes');
  }
  return String(value);
}
