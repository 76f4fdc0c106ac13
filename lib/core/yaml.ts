import {
  Composer,
  isScalar,
  Parser,
  type CST,
  type Document,
  type ParsedNode,
  type ScalarTag,
  type SchemaOptions,
} from 'yaml';
import { defined } from './defined.ts';
import { DispatchError } from './errors.ts';
import { isRecord } from './json.ts';

/** What a text of unknown origin may cost. */
export interface TextLimits {
  readonly bytes: number;
  /** Of a text that is no JSON: some parts of reading YAML take time squared in its length. */
  readonly yamlBytes: number;
  readonly depth: number;
  /** Members and list entries, aliases expanded. */
  readonly nodes: number;
}

export const TEXT_LIMITS: TextLimits = { bytes: 256 * 1024, yamlBytes: 64 * 1024, depth: 40, nodes: 20_000 };

/** YAML 1.1's octal numbers, as kubectl and Flink's pod templates read them: `0400` is 256. */
const octal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  format: 'OCT11',
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => (text.startsWith('-') ? -1 : 1) * parseInt(text.replace(/^[-+]/, ''), 8),
};

/** YAML 1.2's core schema and those octal numbers. */
export const YAML_OF_KUBERNETES = {
  version: '1.2',
  schema: 'core',
  merge: false,
  logLevel: 'error',
  customTags: ((tags) => [octal, ...tags]) satisfies SchemaOptions['customTags'],
} as const;

/** Not merged by any reader here, because Flink's does not know them: it would take `<<` for a name. */
export const MERGE_KEY = '<<';

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads a JSON or YAML object (YAML 1.2 core schema with YAML 1.1's octal numbers: no custom tags, no merge keys, no
 * duplicate keys).
 * @param what names the text in errors: `the message`, `s3://bucket/key.job.yaml`.
 * @throws DispatchError `MalformedRequest`
 */
export function parseObjectText(text: string, what: string, limits = TEXT_LIMITS): Record<string, unknown> {
  const documents = documentsIn(text, what, limits);
  if (documents.length > 1) throw malformed(`${what} ${severalDocuments(documents)}`);
  return objectIn(documents[0], what, limits);
}

/** The same of a list. @throws DispatchError `MalformedRequest` */
export function parseListText(text: string, what: string, limits = TEXT_LIMITS): readonly unknown[] {
  const [value, ...others] = documentsIn(text, what, limits).map((read) => read());
  if (others.length > 0 || !Array.isArray(value)) throw malformed(`${what} must be one JSON or YAML list`);
  checkTree(value, what, limits);
  return value;
}

/**
 * The same of a text that may hold several documents of YAML.
 * @throws DispatchError `MalformedRequest`
 */
export function parseObjectTexts(
  text: string,
  what: string,
  limits = TEXT_LIMITS,
): readonly [Record<string, unknown>, ...Record<string, unknown>[]] {
  const [first, ...others] = documentsIn(text, what, limits);
  return [objectIn(first, what, limits), ...others.map((one) => objectIn(one, what, limits))];
}

/** Reads its value. */
type TextDocument = () => unknown;

function objectIn(document: TextDocument | undefined, what: string, limits: TextLimits): Record<string, unknown> {
  const value = document?.();
  if (!isRecord(value)) throw malformed(`${what} must be a JSON or YAML object, not ${nameOf(value)}`);
  checkTree(value, what, limits);
  return value;
}

function documentsIn(text: string, what: string, limits: TextLimits): readonly TextDocument[] {
  if (Buffer.byteLength(text) > limits.bytes) throw malformed(`${what} is larger than ${limits.bytes} bytes`);
  try {
    const value: unknown = JSON.parse(text);
    return [() => value];
  } catch {
    return parseYaml(text, what, limits);
  }
}

function parseYaml(text: string, what: string, limits: TextLimits): readonly TextDocument[] {
  if (Buffer.byteLength(text) > limits.yamlBytes)
    throw malformed(`${what} is no JSON, and larger than ${limits.yamlBytes} bytes`);
  // The tokens come from a loop, the document from a recursion that could use up the stack, which V8 may not survive.
  const tokens = [...new Parser().parse(text)];
  checkTokens(tokens, what, limits);
  // Errors that quote the source cost time squared in their number.
  const options = { ...YAML_OF_KUBERNETES, stringKeys: true, prettyErrors: false } as const;
  const documents = [...new Composer(options).compose(tokens, true, text.length)].filter((one) => !isEmpty(one));
  return documents.map((document) => () => valueOf(document, what));
}

function valueOf(document: Document<ParsedNode>, what: string): unknown {
  const fault = (document.errors[0] ?? document.warnings[0])?.message;
  if (fault !== undefined) throw malformed(`${what} is neither JSON nor YAML: ${fault.split('\n')[0] ?? ''}`);
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    throw malformed(`${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** As kubectl, which passes over documents that hold nothing but comments. */
function isEmpty({ contents, errors, warnings }: Document<ParsedNode>): boolean {
  const faults = errors.length + warnings.length;
  return faults === 0 && (contents === null || (isScalar(contents) && contents.value === null));
}

function severalDocuments(documents: readonly TextDocument[]): string {
  return `holds ${documents.length} YAML documents, and a request is one: send each of them by itself`;
}

/** Every key and every value is a token; unique keys cost time squared in their number. */
function checkTokens(tokens: readonly CST.Token[], what: string, limits: TextLimits): void {
  const open = tokens.map((token) => ({ token, level: 0 }));
  let left = limits.nodes;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, level } = next;
    if ((left -= 1) < 0) throw tooMany(what, limits);
    if (level > limits.depth) throw tooDeep(what, limits);
    const items = 'items' in token ? token.items.flatMap(({ key, value }) => [key, value]) : [];
    const inner = token.type === 'document' ? [token.value] : items;
    for (const child of inner) if (child) open.push({ token: child, level: level + 1 });
  }
}

function tooMany(what: string, limits: TextLimits): DispatchError {
  return malformed(`${what} has more than ${limits.nodes} keys and values`);
}

function tooDeep(what: string, limits: TextLimits): DispatchError {
  return malformed(`${what} is nested deeper than ${limits.depth} levels`);
}

function checkTree(root: unknown, what: string, limits: TextLimits): void {
  let left = limits.nodes;
  const visit = (value: unknown, path: string, depth: number): void => {
    if ((left -= 1) < 0) throw tooMany(what, limits);
    if (depth > limits.depth) throw tooDeep(what, limits);
    if (Array.isArray(value)) value.forEach((item, i) => visit(item, `${path}[${i}]`, depth + 1));
    else if (isRecord(value)) {
      for (const [key, member] of Object.entries(value)) {
        const at = path === '' ? key : `${path}.${key}`;
        if (key === MERGE_KEY) throw malformed(`${what}: ${mergeKeyAt(path)}`, at);
        if (FORBIDDEN_KEYS.has(key)) throw malformed(`${what}: the key ${at} is not allowed`, at);
        visit(member, at, depth + 1);
      }
    }
  };
  visit(root, '', 0);
}

function mergeKeyAt(path: string): string {
  return `the merge key << ${path === '' ? 'at the top' : `in ${path}`} is not supported: write the merged keys out`;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string' && /^\s*\{/.test(value)) return 'a string with an object in it: it was encoded twice';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

function malformed(message: string, field?: string): DispatchError {
  return new DispatchError('MalformedRequest', message, defined({ field }));
}
