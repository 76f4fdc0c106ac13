import { defined } from '../../../../lib/core/defined.ts';

/** One thing that a deployment needs of a target. */
export interface Check {
  readonly target: string;
  /** Absent for what holds for the whole cluster. */
  readonly namespace?: string;
  readonly name: string;
  /** `unknown`: it could not be looked at from here, or with these rights. */
  readonly state: 'ok' | 'failed' | 'unknown';
  /** What was seen. */
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

type Seen = Omit<Check, 'target' | 'namespace' | 'name'>;

export const ok = (message: string): Seen => ({ state: 'ok', message });
export const failed = (message: string, fix: string): Seen => ({ state: 'failed', message, fix });
export const unknown = (message: string, fix?: string): Seen => ({
  state: 'unknown',
  message,
  ...defined({ fix }),
});

export type { Seen };
