import { HIDDEN } from '../core/redaction/redact.ts';
import type { RunRequest } from '../trigger/request.ts';

/** What a request said, from which it can be made again: without secrets, as it is stored. */
export interface Asked {
  readonly spec?: unknown;
  /** A stored job's name. */
  readonly job?: string;
}

/** Bytes. A record is written a dozen times. */
const MOST = 64 * 1024;

/** Undefined for what is too large to be kept. */
export function askedOf({ spec, job }: RunRequest): Asked | undefined {
  if (spec !== undefined && Buffer.byteLength(JSON.stringify(spec)) > MOST) return undefined;
  return { ...(spec === undefined ? {} : { spec }), ...(job === undefined ? {} : { job }) };
}

/** Whether a part of it is a secret that is kept no longer. */
export function hasHidden(value: unknown): boolean {
  return JSON.stringify(value).includes(HIDDEN);
}
