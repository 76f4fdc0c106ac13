import { parseDocument } from 'yaml';
import { DispatchError } from './errors.ts';
import { isRecord } from './json.ts';

/** What a text of unknown origin may cost. */
export interface TextLimits {
  readonly bytes: number;
  readonly depth: number;
  /** Members and list entries, aliases expanded. */
  readonly nodes: number;
}

export const TEXT_LIMITS: TextLimits = { bytes: 256 * 1024, depth: 40, nodes: 20_000 };

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads a JSON or YAML object (YAML 1.2 core schema: no custom tags, no merge keys, no duplicate keys).
 * @param what names the text in errors: `the message`, `s3://bucket/key.job.yaml`.
 * @throws DispatchError `MalformedRequest`
 */
export function parseObjectText(text: string, what: string, limits = TEXT_LIMITS): Record<string, unknown> {
  if (Buffer.byteLength(text) > limits.bytes) throw malformed(`${what} is larger than ${limits.bytes} bytes`);
  checkNesting(text, what, limits);
  const value = parseText(text, what);
  if (!isRecord(value)) throw malformed(`${what} must be a JSON or YAML object, not ${nameOf(value)}`);
  checkTree(value, what, limits);
  return value;
}

function parseText(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseYaml(text, what);
  }
}

function parseYaml(text: string, what: string): unknown {
  let fault: string | undefined;
  try {
    const document = parseDocument(text, { schema: 'core', merge: false, stringKeys: true, logLevel: 'error' });
    fault = (document.errors[0] ?? document.warnings[0])?.message;
    if (fault === undefined) return document.toJS({ maxAliasCount: 20 }) as unknown;
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error);
  }
  throw malformed(`${what} is neither JSON nor YAML: ${fault.split('\n')[0] ?? ''}`);
}

/** Before any recursive parser sees the text: brackets and indentation bound how deep it can go. */
function checkNesting(text: string, what: string, limits: TextLimits): void {
  const indents: number[] = [0];
  let open = 0;
  for (const line of text.split('\n')) {
    const indent = line.length - line.trimStart().length;
    while ((indents.at(-1) ?? 0) > indent) indents.pop();
    if ((indents.at(-1) ?? 0) < indent) indents.push(indent);
    // `- - - -` nests within one line.
    const dashes = /^\s*((?:- )*)/.exec(line)?.[1]?.length ?? 0;
    if (indents.length + dashes / 2 > limits.depth * 3) throw malformed(`${what} is nested too deeply`);
  }
  for (const char of text) {
    if (char === '{' || char === '[') open += 1;
    else if (char === '}' || char === ']') open = Math.max(0, open - 1);
    // Brackets inside strings count as well, so the bound is wide.
    if (open > limits.depth * 25) throw malformed(`${what} is nested too deeply`);
  }
}

function checkTree(root: unknown, what: string, limits: TextLimits): void {
  let left = limits.nodes;
  const visit = (value: unknown, path: string, depth: number): void => {
    if ((left -= 1) < 0) throw malformed(`${what} has more than ${limits.nodes} values`);
    if (depth > limits.depth) throw malformed(`${what} is nested deeper than ${limits.depth} levels`);
    if (Array.isArray(value)) value.forEach((item, i) => visit(item, `${path}[${i}]`, depth + 1));
    else if (isRecord(value)) {
      for (const [key, member] of Object.entries(value)) {
        const at = path === '' ? key : `${path}.${key}`;
        if (FORBIDDEN_KEYS.has(key)) throw malformed(`${what}: the key ${at} is not allowed`, at);
        visit(member, at, depth + 1);
      }
    }
  };
  visit(root, '', 0);
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

function malformed(message: string, field?: string): DispatchError {
  return new DispatchError('MalformedRequest', message, field === undefined ? {} : { field });
}
