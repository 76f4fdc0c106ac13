import { isRecord } from '../core/json.ts';

export interface FieldChange {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The fields in which two documents differ, by name; a list is one field. */
export function fieldChanges(before: unknown, after: unknown, field = ''): readonly FieldChange[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => fieldChanges(before[name], after[name], field === '' ? name : `${field}.${name}`));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field, before, after }];
}

export function changeLines(changes: readonly FieldChange[]): string {
  return changes.map(lineOf).join('');
}

function lineOf({ field, before, after }: FieldChange): string {
  const side = (sign: string, value: unknown): string =>
    value === undefined ? '' : `${sign} ${field}: ${JSON.stringify(value)}\n`;
  return side('-', before) + side('+', after);
}
