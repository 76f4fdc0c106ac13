import type { ParsedFlags } from './flags.ts';
import { UsageError } from './usage.ts';

/** @throws UsageError with the usage, for none and for more than one */
export function onlyArgument({ args }: ParsedFlags, usage: string): string {
  const [only, ...more] = args;
  if (only === undefined || more.length > 0) throw new UsageError(usage);
  return only;
}
