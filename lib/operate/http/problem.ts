import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { describeError, DispatchError, isDispatchError } from '../../core/errors.ts';
import { REASON_CODES, type Reason } from '../../core/reasons.ts';
import { redactJson, redactText } from '../../core/redaction/redact.ts';
import type { HttpAnswer } from './call.ts';

const reason = z.enum(REASON_CODES);

/** A problem document of RFC 9457, with members of its own. */
export const problemSchema = z.object({
  type: z.string().describe('`urn:flink-dispatch:problem:` and the reason'),
  title: z.string().describe('The reason'),
  status: z.int(),
  detail: z.string(),
  reason: reason.describe('As outcomes, events and dead letters have it'),
  todo: z.string().describe('Who has to do what'),
  field: z.string().exactOptional().describe('Of the request, as its author wrote it'),
  problems: z
    .array(z.object({ reason, message: z.string(), field: z.string().exactOptional() }))
    .describe('All that is wrong with the request'),
});
type Problem = z.output<typeof problemSchema>;

const STATUS: Partial<Readonly<Record<Reason, number>>> = {
  MalformedRequest: 400,
  RunNotFound: 404,
  IdempotencyConflict: 409,
};
const RETRY_AFTER = 5;

/** @param status where the reason alone does not say it */
export function problemOf(thrown: unknown, status?: number): HttpAnswer {
  const error = isDispatchError(thrown)
    ? thrown
    : new DispatchError('Internal', 'the call failed: its log has the request id', { cause: thrown });
  const code = status ?? statusOf(error);
  const { reason: why, message, todo, field, problems } = error;
  const document: Problem = {
    type: `urn:flink-dispatch:problem:${why}`,
    title: why,
    status: code,
    detail: redactText(message),
    reason: why,
    todo,
    ...defined({ field }),
    problems: redactJson([...problems]),
  };
  const again = code === 503 ? { 'retry-after': String(Math.ceil(error.retryAfter ?? RETRY_AFTER)) } : {};
  return {
    status: code,
    headers: { 'content-type': 'application/problem+json', ...again },
    body: JSON.stringify(document),
  };
}

/** What a log says of it, which the caller is not told. */
export function causeOf(thrown: unknown): string | undefined {
  return isDispatchError(thrown) && thrown.class === 'user' ? undefined : describeError(thrown);
}

function statusOf(error: DispatchError): number {
  if (error.reason === 'NotAllowed' && error.field === 'source') return 403;
  if (error.reason === 'NotAllowed' && error.field === 'tenant') return 429;
  const known = STATUS[error.reason];
  if (known !== undefined) return known;
  if (error.class === 'user') return 422;
  return error.retryable ? 503 : 500;
}
