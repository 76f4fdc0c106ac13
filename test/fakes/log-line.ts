import { describeError } from '../../lib/core/errors.ts';

/** A log line as tests read it: the message and its fields as JSON, errors as their messages. */
export function logLine(message: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const plain = (_key: string, value: unknown): unknown => (value instanceof Error ? describeError(value) : value);
  return `${message} ${JSON.stringify(fields, plain)}`;
}
