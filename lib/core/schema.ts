import * as z from 'zod';
import { DispatchError } from './errors.ts';
import { isRecord } from './json.ts';
import { nearest } from './nearest.ts';
import { REASON_CODES, type Reason } from './reasons.ts';

/**
 * Parses with a schema; its issues become one error, which says the first few and names fields as their author wrote them.
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
  const problems = issues.map(({ field, message, reason: own }) => ({
    reason: own ?? reason,
    message,
    ...(field === '' ? {} : { field }),
  }));
  const more = issues.length > 3 ? ` (and ${issues.length - 3} more)` : '';
  const message = issues
    .slice(0, 3)
    .map((issue) => issue.message)
    .join('; ');
  throw new DispatchError(first?.reason ?? reason, message + more, {
    ...(first?.field ? { field: first.field } : {}),
    problems,
  });
}

/** As Kubernetes has it: a member that is null is a member that is not there. */
function dropNulls(value: unknown): unknown {
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
  const one = /^Invalid input: expected "([^"]+)"$/.exec(message)?.[1];
  if (one !== undefined) return `must be ${one}`;
  const several = /^Invalid option: expected one of (.+)$/.exec(message)?.[1];
  if (several !== undefined) return `must be one of ${several.replaceAll('"', '').replaceAll('|', ', ')}`;
  if (expected === undefined) return /^(must|is|has|names) /.test(message) ? message : `is not valid: ${message}`;
  return received === 'undefined' ? 'is missing' : `must be ${expected}, not ${received}`;
}

/** `job.args[2]`; a key with dots is quoted, as in `flinkConfiguration["taskmanager.numberOfTaskSlots"]`. */
function pathText(path: readonly PropertyKey[], prefix = ''): string {
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
  if (!(schema instanceof z.ZodPipe)) return schema;
  // what is preprocessed has its fields behind the transformation
  return unwrap(schema.def.in instanceof z.ZodTransform ? schema.def.out : schema.def.in);
}
