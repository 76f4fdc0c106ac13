import { REASONS, type Reason, type ReasonClass } from './reasons.ts';
import { hideInUrls } from './redaction/redact.ts';
import { cutUtf8 } from './wire-text.ts';

/** Bytes: what an input makes us quote still fits into an event, a queue's attribute and a log line. */
const MAX_MESSAGE = 4096;
const MAX_FIELD = 512;

/** What the cap on a message is to a message, this is to a list of them. */
const MAX_PROBLEMS = 50;

/** One of several things that are wrong with an input. */
export interface Problem {
  readonly reason: Reason;
  readonly message: string;
  readonly field?: string;
}

export interface ErrorDetails {
  /** The input field at fault, as its author wrote it: `job.args[2]`, `kubernetes.jobmanager.cpu.amount`. */
  readonly field?: string;
  /** Seconds after which the caller should try again, when the other side said so. */
  readonly retryAfter?: number;
  /** All that is wrong with the input, where more was found than the message says. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/**
 * The one error type that crosses folders: a reason of the table, a sentence without the passwords of the URLs in it, and
 * the field where there is one.
 */
export class DispatchError extends Error {
  override readonly name = 'DispatchError';
  readonly reason: Reason;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;
  /** At least one: the error itself, where nothing else was found. */
  readonly problems: readonly Problem[];

  constructor(reason: Reason, message: string, details: ErrorDetails = {}) {
    super(messageOf(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.field = details.field === undefined ? undefined : fieldOf(details.field);
    this.retryAfter = details.retryAfter;
    const own = { reason, message, ...(details.field === undefined ? {} : { field: details.field }) };
    this.problems = (details.problems ?? [own]).slice(0, MAX_PROBLEMS).map(asProblem);
  }

  get class(): ReasonClass {
    return REASONS[this.reason].class;
  }

  /** False for what the same input would cause again. */
  get retryable(): boolean {
    return this.class === 'infrastructure' || this.class === 'capacity';
  }

  get todo(): string {
    return REASONS[this.reason].todo;
  }
}

function asProblem({ reason, message, field }: Problem): Problem {
  return { reason, message: messageOf(message), ...(field === undefined ? {} : { field: fieldOf(field) }) };
}

function messageOf(text: string): string {
  return cutUtf8(hideInUrls(text), MAX_MESSAGE, '…');
}

function fieldOf(text: string): string {
  return cutUtf8(text, MAX_FIELD, '…');
}

export function isDispatchError(error: unknown): error is DispatchError {
  return error instanceof DispatchError;
}

/** The message of anything thrown, with its causes, on one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}
