import type { JobReport } from '../run/record.ts';
import { toWireJson } from '../core/wire-text.ts';

/**
 * An event as JSON is never larger. EventBridge, SNS and the queues behind them take 256 KiB; the half of it leaves room
 * for an envelope that quotes the event once more. The limits below add up to less.
 */
export const MAX_EVENT_BYTES = 128 * 1024;

/** Bytes of a text as JSON, and numbers of entries. */
export const LIMITS = {
  message: 4 * 1024,
  rootException: 8 * 1024,
  stackTrace: 32 * 1024,
  field: 512,
  jar: 2 * 1024,
  /** Names that others gave. */
  name: 1024,
  finding: 512,
  findings: 20,
  items: 60,
  accumulator: 4 * 1024,
  accumulators: 32 * 1024,
  jobs: 40,
  jobName: 128,
  /** Of all jobs, where there are several; then the event has none of its own. */
  jobAccumulators: 32 * 1024,
} as const;

type TextName = 'message' | 'rootException' | 'stackTrace' | 'field' | 'jar';

/** Each text within its own limit; `cut` names those that were not. */
export function cutTexts(texts: Partial<Record<TextName, string>>): {
  readonly kept: Partial<Record<TextName, string>>;
  readonly cut: readonly TextName[];
} {
  const kept: Partial<Record<TextName, string>> = {};
  const cut: TextName[] = [];
  for (const [name, text] of Object.entries(texts) as [TextName, string][]) {
    kept[name] = cutText(text, LIMITS[name]);
    if (kept[name] !== text) cut.push(name);
  }
  return { kept, cut };
}

/** The first entries that fit, in the order given, each value within its limit. */
export function cutAccumulators(
  all: Readonly<Record<string, string>>,
  redact: (text: string) => string,
  bytes: number = LIMITS.accumulators,
): { readonly kept: Record<string, string>; readonly cut: boolean } {
  const kept: [string, string][] = [];
  let cut = false;
  let room = bytes;
  for (const [name, value] of Object.entries(all)) {
    const text = redact(value);
    const entry = [cutText(name, LIMITS.field), cutText(text, LIMITS.accumulator)] as const;
    room -= jsonBytes(entry[0]) + jsonBytes(entry[1]) + 2;
    cut ||= room < 0 || entry[0] !== name || entry[1] !== text;
    if (room < 0) break;
    kept.push([...entry]);
  }
  // fromEntries defines `__proto__` as any other name
  return { kept: Object.fromEntries(kept), cut };
}

/** The first jobs, with what fits of their accumulators. */
export function cutJobs(
  all: readonly JobReport[],
  redact: (text: string) => string,
): { readonly kept: readonly JobReport[]; readonly cut: boolean } {
  let room: number = LIMITS.jobAccumulators;
  let cut = all.length > LIMITS.jobs;
  const kept = all.slice(0, LIMITS.jobs).map(({ accumulators: values, name, ...job }): JobReport => {
    const named = name === undefined ? {} : { name: cutText(redact(name), LIMITS.jobName) };
    if (values === undefined) return { ...job, ...named };
    const accumulators = cutAccumulators(values, redact, Math.max(0, room));
    room -= jsonBytes(JSON.stringify(accumulators.kept));
    cut ||= accumulators.cut;
    return { ...job, ...named, accumulators: accumulators.kept };
  });
  return { kept, cut };
}

export function cutList(texts: readonly string[], bytes: number, count: number): string[] {
  return texts.slice(0, count).map((text) => cutText(text, bytes));
}

/** The text, or its beginning and a quarter of its end, so that it takes at most `bytes` bytes inside JSON. */
export function cutText(text: string, bytes: number): string {
  if (jsonBytes(text) <= bytes) return text;
  const points = Array.from(text);
  const room = bytes - MARKER_ROOM;
  const head = take(points, Math.ceil(room * 0.75));
  const tail = take(points.slice(head).reverse(), Math.floor(room * 0.25));
  const left = points.length - head - tail;
  return `${points.slice(0, head).join('')}\n… ${left} characters cut …\n${points.slice(points.length - tail).join('')}`;
}

/** Room for the line that says how much is missing. */
const MARKER_ROOM = 48;

/** How many of the code points fit. */
function take(points: readonly string[], bytes: number): number {
  let used = 0;
  const end = points.findIndex((point) => {
    used += pointBytes(point);
    return used > bytes;
  });
  return end === -1 ? points.length : end;
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(toWireJson(text), 'utf8');
}

function pointBytes(point: string): number {
  return jsonBytes(point) - 2;
}
