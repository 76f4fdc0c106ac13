import { isRecord } from '../json.ts';
import { isSensitiveKey } from './sensitive-keys.ts';

/** What stands where a secret was: the same as in Flink's own logs. */
export const HIDDEN = '******';

/**
 * Hides what looks like a secret: values of sensitive keys (`key=value`, `key: value`, `"key":"value"`, `--key value`),
 * AWS keys and session tokens, signatures of presigned URLs, Authorization headers, bearer tokens, JWTs, passwords in
 * URLs, private keys. Takes time linear in the text, and changes nothing when applied again.
 */
export function redactText(text: string): string {
  const known = PATTERNS.reduce(
    (result, [pattern, replacement]) => result.replace(pattern, replacement),
    hidePem(text),
  );
  return hideAssigned(known.replace(YAML_LINE, hideLine).replace(FLAG, hideFlag));
}

/**
 * The same value with its secrets hidden: whatever lies under a sensitive key, the `value` beside a sensitive `name` or
 * `key`, the argument after a sensitive `--flag`; `redactText` for all other texts. Keys stay.
 */
export function redactJson<T>(value: T): T {
  return redactMember(value) as T;
}

/** What a URL holds of its own: users with passwords, tokens, signatures. For texts that are no logs, such as errors. */
export function hideInUrls(text: string): string {
  if (!text.includes('://')) return text;
  return URL_PATTERNS.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/*
 * Every pattern begins where nothing before can begin (a look-behind, or a literal that its own run excludes), and no
 * two neighbouring repetitions share a character: that is what keeps them linear.
 */
const URL_PATTERNS: readonly (readonly [RegExp, string])[] = [
  // scheme://user:password@host, with any `@` in the password
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@:"'<>]*:[^\s/"'<>]+@/gi, `$1${HIDDEN}@`],
  // a password with a `/` in it: what follows the colon is no port
  [
    /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@:"'<>]*:(?!\d{1,5}(?:[/?#]|$)|\*)[^\s"'<>]{1,200}@/gi,
    `$1${HIDDEN}@`,
  ],
  // a long user alone is a token to a web server; to others it is an account or a container
  [/(?<![a-z0-9+.-])(https?:\/\/)[^\s/@:"'<>]{16,}@/gi, `$1${HIDDEN}@`],
  [
    /(?<![a-z0-9-])(X-Amz-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|sig)(=|%3D)[^&\s"'<>\\]+/gi,
    `$1$2${HIDDEN}`,
  ],
];
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  ...URL_PATTERNS,
  [/(?<![a-z0-9-])((?:proxy-)?authorization(?:\\?["'])?\s{0,4}[:=]\s{0,4}(?:\\?["'])?)[^\r\n"'\\]+/gi, `$1${HIDDEN}`],
  [/(?<![a-z0-9])(bearer\s{1,4})(?=[a-z._~+/=-]{0,256}\d)[a-z0-9._~+/=-]{8,}/gi, `$1${HIDDEN}`],
  [/(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g, HIDDEN],
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g, HIDDEN],
  // AWS session tokens all begin with one of these
  [/(?<![A-Za-z0-9+/])(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=%]{16,}/g, HIDDEN],
];

/** A line that is a key and its value and nothing else, as in Flink's configuration: the value has spaces. */
const YAML_LINE = /^([ \t]*(?:- )?["']?)([\w.$-]+)(["']?: {1,8})(\S[^\r\n]*)$/gm;
/** Of a command line, with its value as the next word. */
const FLAG = /(?<![^\s"'[,(])(--?)([A-Za-z][\w.-]*)(["']?,?\s{1,4}["']?)([^\s"'-][^\s"',]*)/g;
/** `key=`, `key: ` and `"key": `, in JSON within JSON as well. */
const KEY = /(?<![\w.$-])([\w.$-]+)((?:\\{0,3}["'])?\s{0,4}[:=]\s{0,4})/g;
/** Quoted, quoted and never closed, quoted within a quoted text, or a word. */
const VALUE =
  /"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|["'][^\r\n]*|\\{1,3}"[^"\\\r\n]*|\\{1,3}'[^'\\\r\n]*|[^\s,;&"'(){}[\]<>\\]+/y;

function hideLine(whole: string, indent: string, key: string, colon: string, value: string): string {
  if (!isSecretName(key, colon) || isPlainWord(key, colon, value) || STRUCTURE.test(value)) return whole;
  return `${indent}${key}${colon}${HIDDEN}`;
}

/** The beginning of a nested YAML or JSON value, which has keys of its own. */
const STRUCTURE = /^(?:[{[|>]|["'])/;

function hideFlag(whole: string, dashes: string, name: string, between: string): string {
  return isSensitiveKey(name) ? `${dashes}${name}${between}${HIDDEN}` : whole;
}

function hideAssigned(text: string): string {
  const parts: string[] = [];
  let done = 0;
  // a key that is no secret's leaves its value to be searched: it may hold the next key
  for (const { 0: whole, 1: key = '', 2: between = '', index } of text.matchAll(KEY)) {
    const from = index + whole.length;
    if (index < done || !isSecretName(key, between)) continue;
    VALUE.lastIndex = from;
    const value = VALUE.exec(text)?.[0];
    if (value === undefined || isPlainWord(key, between, value)) continue;
    parts.push(text.slice(done, from), hidden(value));
    done = from + value.length;
  }
  return parts.join('') + text.slice(done);
}

/** With the quotes of the value around it. */
function hidden(value: string): string {
  const open = /^\\*["']/.exec(value)?.[0] ?? '';
  const closed = open.length === 1 && value.length > 1 && value.endsWith(open);
  return open + HIDDEN + (closed ? open : '');
}

/** `org.apache.…SecretManager$InvalidToken: …` is a class that says something, no key that has a value. */
function isSecretName(key: string, between: string): boolean {
  if (/^: /.test(between) && (/[.$][A-Z][\w$]*$/.test(key) || /(?:Exception|Error)$/.test(key))) return false;
  return isSensitiveKey(key);
}

/** `Unexpected token: EOF` is a sentence. */
function isPlainWord(key: string, between: string, value: string): boolean {
  return /^tokens?$/i.test(key) && /^: /.test(between) && !(value.length >= 16 && /\d/.test(value));
}

const BEGIN_KEY = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/g;
const END_KEY = /-----END [A-Z ]{0,30}PRIVATE KEY-----/g;

/** Whole keys, and what is left of one whose beginning or end was cut off. */
function hidePem(text: string): string {
  if (!text.includes('PRIVATE KEY-----')) return text;
  const begins = Array.from(text.matchAll(BEGIN_KEY), (match) => ({
    begin: true,
    from: match.index,
    to: match.index + match[0].length,
  }));
  const ends = Array.from(text.matchAll(END_KEY), (match) => ({
    begin: false,
    from: match.index,
    to: match.index + match[0].length,
  }));
  const marks = [...begins, ...ends].sort((a, b) => a.from - b.from);
  const parts: string[] = [];
  let done = 0;
  marks.forEach((mark, index) => {
    const next = marks[index + 1];
    const body = text.slice(done, mark.from);
    // before an END without its BEGIN only what can be of a key goes
    if (mark.begin) parts.push(body, text.slice(mark.from, mark.to));
    else
      parts.push(marks[index - 1]?.begin === true ? '' : keepBeforeBody(body), HIDDEN, text.slice(mark.from, mark.to));
    done = mark.to;
    if (mark.begin && next?.begin !== false) {
      parts.push(HIDDEN);
      done += bodyLength(text.slice(mark.to, next?.from));
    }
  });
  return parts.join('') + text.slice(done);
}

function keepBeforeBody(text: string): string {
  let end = text.length;
  while (end > 0 && BODY.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function bodyLength(text: string): number {
  let length = 0;
  while (length < text.length && BODY.test(text.charAt(length))) length += 1;
  return length;
}

/** What a key's base64 lines are made of, escaped line ends and our own mark included. */
const BODY = /[A-Za-z0-9+/=\s\\*]/;

function redactMember(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return redactArray(value);
  if (!isRecord(value)) return value;
  const named = value['name'] ?? value['key'];
  const beside = typeof named === 'string' && isSensitiveKey(named);
  const members = Object.entries(value).map(([key, member]): [string, unknown] => {
    const hidden = isSensitiveKey(key) || (beside && key === 'value');
    return [key, hidden ? hideMember(key, member) : redactMember(member)];
  });
  return Object.fromEntries(members);
}

function redactArray(values: readonly unknown[]): unknown[] {
  return values.map((value, index) => {
    const before: unknown = values[index - 1];
    const flag = typeof before === 'string' ? /^--?([A-Za-z][\w.-]*)$/.exec(before)?.[1] : undefined;
    return flag !== undefined && isSensitiveKey(flag) && typeof value === 'string' ? HIDDEN : redactMember(value);
  });
}

/** All leaves under a sensitive key. A Secret volume (`secret: { secretName }`) only names one. */
function hideMember(key: string, value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((member) => hideMember(key, member));
  if (!isRecord(value)) return HIDDEN;
  if (typeof value['secretName'] === 'string') return redactMember(value);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hideMember(name, member)]));
}
