import { isRecord } from '../core/json.ts';
import type { FlinkOptions } from './job.ts';

export class FlattenError extends Error {
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

/**
 * Flink options from nested or dotted keys; a list becomes Flink's `a;b;c`.
 * @throws FlattenError for a key that is given twice, or a value that is no scalar.
 */
export function flattenOptions(value: Readonly<Record<string, unknown>>): FlinkOptions {
  const flat = new Map<string, string>();
  const visit = (node: unknown, key: string): void => {
    if (isRecord(node)) {
      for (const [name, member] of Object.entries(node)) visit(member, key === '' ? name : `${key}.${name}`);
      return;
    }
    if (flat.has(key)) throw new FlattenError(key, 'is given twice, once nested and once dotted');
    flat.set(key, Array.isArray(node) ? node.map((item) => scalar(item, key)).join(';') : scalar(node, key));
  };
  visit(value, '');
  return Object.fromEntries(flat);
}

function scalar(value: unknown, key: string): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') throw new FlattenError(key, 'must be text, a number, true or false');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new FlattenError(key, 'is too large a number to be exact: put it in quotes');
  }
  return String(value);
}
