import * as z from 'zod';
import { DispatchError } from './errors.ts';
import { isRecord } from './json.ts';
import { REASON_CODES, type Reason } from './reasons.ts';

/**
 * Parses with a schema; the first few issues become one error that names the field as its author wrote it.
 * @param prefix of the field names, for a part of a larger document: `spec`.
 * @throws DispatchError `reason`, or what the issue's own `params.reason` says
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
  prefix = '',
  reason: Reason = 'InvalidSpec',
): z.output<S> {
  const result = schema.safeParse(dropNulls(value));
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => describe(schema, issue, prefix));
  const first = issues[0];
  const more = issues.length > 3 ? ` (and ${issues.length - 3} more)` : '';
  const message = issues
    .slice(0, 3)
    .map((issue) => issue.message)
    .join('; ');
  throw new DispatchError(first?.reason ?? reason, message + more, first?.field ? { field: first.field } : {});
}

/** As Kubernetes has it: a member that is null is a member that is not there. */
export function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, dropNulls(member)]),
  );
}

interface Described {
  readonly field: string;
  readonly message: string;
  readonly reason?: Reason;
}

function describe(schema: z.ZodType, issue: z.core.$ZodIssue, prefix: string): Described[] {
  const at = pathText(issue.path, prefix);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const field = pathText([...issue.path, key], prefix);
      const near = nearest(key, known);
      const hint =
        near === undefined
          ? known.length === 0
            ? ''
            : `: known here are ${known.join(', ')}`
          : `: did you mean ${near}?`;
      return { field, message: `${field} is not a known field${hint}` };
    });
  }
  const own: unknown = issue.code === 'custom' ? issue.params?.['reason'] : undefined;
  const reason = REASON_CODES.find((code) => code === own);
  const message = `${at === '' ? 'the document' : at} ${asSentence(issue.message)}`;
  return [reason === undefined ? { field: at, message } : { field: at, message, reason }];
}

function asSentence(message: string): string {
  const [, expected, received] = /^Invalid input: expected (.+), received (\w+)$/.exec(message) ?? [];
  if (expected === undefined) return /^(must|is|has|names) /.test(message) ? message : `is not valid: ${message}`;
  return received === 'undefined' ? 'is missing' : `must be ${expected}, not ${received}`;
}

/** `job.args[2]`; a key with dots is quoted, as in `flinkConfiguration["taskmanager.numberOfTaskSlots"]`. */
export function pathText(path: readonly PropertyKey[], prefix = ''): string {
  return path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`;
    const key = String(part);
    if (/[^A-Za-z0-9_$-]/.test(key)) return `${before}[${JSON.stringify(key)}]`;
    return before === '' ? key : `${before}.${key}`;
  }, prefix);
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let here: z.core.$ZodType | undefined = schema;
  for (const part of path) {
    const inner: z.core.$ZodType | undefined = here === undefined ? undefined : unwrap(here);
    if (inner instanceof z.ZodObject) here = (inner.shape as Record<string, z.core.$ZodType>)[String(part)];
    else if (inner instanceof z.ZodArray) here = inner.element;
    else if (inner instanceof z.ZodRecord) here = inner.valueType;
    else return [];
  }
  const last = here === undefined ? undefined : unwrap(here);
  if (!(last instanceof z.ZodObject)) return [];
  return Object.entries(last.shape as Record<string, z.core.$ZodType>)
    .filter(([, member]) => !(unwrap(member) instanceof z.ZodNever))
    .map(([key]) => key);
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrap(schema.def.innerType);
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.def.in) : schema;
}

/** The known key that a typing error away; nothing when none is near. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, Math.floor(key.length / 3)) ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 16 || a.length > 64) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
