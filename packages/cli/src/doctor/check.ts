import { defined } from '../../../../lib/core/defined.ts';
import type { TargetCheck } from '../../../../lib/view/server/ports.ts';

export type Check = TargetCheck;

type Seen = Omit<Check, 'target' | 'namespace' | 'name'>;

export const ok = (message: string): Seen => ({ state: 'ok', message });
export const failed = (message: string, fix: string): Seen => ({ state: 'failed', message, fix });
export const unknown = (message: string, fix?: string): Seen => ({
  state: 'unknown',
  message,
  ...defined({ fix }),
});

export type { Seen };
