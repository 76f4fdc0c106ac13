import { describeError, DispatchError, isDispatchError } from '../core/errors.ts';
import { redactText } from '../core/redaction/redact.ts';
import type { Reason } from '../core/reasons.ts';

/** The request's own body could not be read: its cause tells more than the broken connection that follows from it. */
export class SourceFailed extends Error {}

interface Asked {
  readonly reason: Reason;
  /** `the Kubernetes API at https://…`. */
  readonly from: string;
  /** What was asked for, where the server alone does not tell it: `reading the manifest of …`. */
  readonly what?: string;
}

/**
 * What it means that a server gave no answer, or only a part of one. An error that has a reason already, such as one of
 * the storage from which a body was read, goes on as it is.
 */
export function noAnswer({ reason, from, what }: Asked, error: unknown): DispatchError {
  const cause = error instanceof SourceFailed ? error.cause : error;
  if (isDispatchError(cause)) return cause;
  const words = `no answer from ${from}: ${redactText(describeError(cause))}`;
  return new DispatchError(reason, what === undefined ? words : `${what}: ${words}`, { cause });
}
