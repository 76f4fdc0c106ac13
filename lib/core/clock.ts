/** Milliseconds since the epoch. */
export type Instant = number;
/** Milliseconds. */
export type Duration = number;

export interface Clock {
  now(): Instant;
  sleep(ms: Duration): Promise<void>;
}
