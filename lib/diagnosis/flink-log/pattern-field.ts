/** A piece of the header of a line of a log. */
export interface Field {
  readonly kind: 'date' | 'time' | 'group' | 'number' | 'rule' | 'separator' | 'word';
  /** Of a group: what stands between its brackets. */
  readonly text: string;
  /** Where the next one begins. */
  readonly end: number;
}

const DATE = [
  String.raw`\d{4}[-./]\d{1,2}[-./]\d{1,2}`,
  String.raw`\d{1,2}[-./]\d{1,2}[-./]\d{2,4}`,
  String.raw`\d{1,2}[ -][A-Z][a-z]{2,8}\.?[ -]\d{4}`,
  String.raw`[A-Z][a-z]{2,8}\.? \d{1,2},? \d{4},?`,
  String.raw`\d{8}`,
].join('|');
const LEVELS = 'TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE';
const ZONE = String.raw`Z\b|[+-]\d{2}:?\d{2}|(?!(?:${LEVELS})\b)[A-Z]{3,4}(?=[\s\]])`;
const TIME = String.raw`\d{1,2}:\d{2}:\d{2}(?:[.,:]\d{1,9})?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:${ZONE}))?`;
const END = String.raw`(?=[\s\]|,-]|$)`;
/** A day with a time of day; log4j's ISO8601_BASIC and COMPACT; an epoch in milliseconds. */
const DATED = new RegExp(
  String.raw`(?:(?:${DATE})(?:[ T]|, )${TIME}|\d{8}T\d{6}(?:[.,]\d{1,9})?(?:${ZONE})?|\d{17}|\d{13})${END}`,
  'y',
);
const TIMED = new RegExp(TIME + END, 'y');
const NUMBER = /\d+(?=\s)/y;
/** Spring's, which ends nothing. */
const RULE = /---(?=\s)/y;
const SEPARATOR = /[-–|:](?=\s|$)/y;
const SEPARATORS = '-–|:';
const SPACE = /\s*/y;
const WORD = /[^\s[\]()]+/y;

/** `1:00:00 I`, `INFO a.b - `: no header is shorter. */
export const SHORTEST_HEADER = 9;

/** A cheap look that spares the lines of a stack trace the rest. */
export const MAY_BEGIN = new RegExp(String.raw`^(?:\d|[[(<\u001b]|(?:${LEVELS})\b|[A-Z][a-z]{2,8}\.? \d)`);

// eslint-disable-next-line no-control-regex -- colours of a terminal are control characters
const COLOUR = /\u001b\[[\d;]{0,20}m/g;

export function withoutColours(text: string): string {
  return text.includes('\u001b') ? text.replace(COLOUR, '') : text;
}

/** The field that begins behind the space at `at`; `undefined` at the end, and at what is none. */
export function fieldAt(head: string, at: number): Field | undefined {
  const start = at + lengthOf(SPACE, head, at);
  const separator = SEPARATORS.includes(head[start] ?? ' ') ? lengthOf(SEPARATOR, head, start) : 0;
  if (separator > 0) return { kind: 'separator', text: head[start] ?? '', end: start + separator };
  for (const [kind, pattern] of kindsAt(head, start)) {
    const length = lengthOf(pattern, head, start);
    if (length > 0) return { kind, text: head.slice(start, start + length), end: start + length };
  }
  return groupAt(head, start) ?? wordAt(head, start);
}

const DIGIT_KINDS = [
  ['date', DATED],
  ['time', TIMED],
  ['number', NUMBER],
] as const;
const LETTER_KINDS = [['date', DATED]] as const;
const DASH_KINDS = [['rule', RULE]] as const;

/** What a field can be besides a group or a word, by its first letters: for time. */
function kindsAt(head: string, start: number): readonly (readonly [Field['kind'], RegExp])[] {
  const first = head.charCodeAt(start);
  if (first >= 0x30 && first <= 0x39) return DIGIT_KINDS;
  if (first === 0x2d) return DASH_KINDS;
  // A month in words.
  const second = head.charCodeAt(start + 1);
  return first >= 0x41 && first <= 0x5a && second >= 0x61 && second <= 0x7a ? LETTER_KINDS : [];
}

function wordAt(head: string, start: number): Field | undefined {
  const length = lengthOf(WORD, head, start);
  return length === 0 ? undefined : { kind: 'word', text: head.slice(start, start + length), end: start + length };
}

/** `1/1/26 1:00:00`, or an epoch. */
const SHORTEST_DATE = 13;
const BRACKETS: Readonly<Record<string, string>> = { '[': ']', '(': ')', '<': '>', '{': '}' };

/** `[thread]`, `[ERROR]`, `[2026-01-01 10:00:00]`; a thread's name may have brackets of its own. */
function groupAt(head: string, start: number): Field | undefined {
  const open = head[start] ?? '';
  const close = BRACKETS[open];
  if (close === undefined) return undefined;
  let depth = 0;
  for (let at = start; at < head.length; at += 1) {
    if (head[at] === open) depth += 1;
    if (head[at] === close) depth -= 1;
    if (depth === 0) return groupOf(head.slice(start + 1, at), at + 1);
  }
  return undefined;
}

function groupOf(text: string, end: number): Field {
  const inner = text.trim();
  if (inner.length >= SHORTEST_DATE && lengthOf(DATED, inner, 0) === inner.length)
    return { kind: 'date', text: inner, end };
  return { kind: 'group', text: inner, end };
}

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex - at : 0;
}
