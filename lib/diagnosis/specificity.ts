import type { Reason } from '../core/reasons.ts';

/**
 * Reasons that only say that something has gone, after those that say why: a finding of the second kind gives way to one of
 * the first, whoever found it and whenever. Reasons that are not named here stand between, and among equals the first wins.
 */
const FIRST: readonly Reason[] = ['TaskManagerOutOfMemory', 'JobManagerOutOfMemory'];
const LAST: readonly Reason[] = ['PodEvicted', 'SidecarFailed', 'TaskManagerCrashed', 'JobManagerCrashed'];

/** 0 is the most specific. */
export function specificity(reason: Reason): number {
  const first = FIRST.indexOf(reason);
  if (first >= 0) return first;
  return FIRST.length + 1 + LAST.indexOf(reason);
}

/** The one that tells most; `undefined` where there is none. */
export function mostSpecific<T extends { readonly reason: Reason }>(
  ...found: readonly (T | undefined)[]
): T | undefined {
  return found
    .filter((it) => it !== undefined)
    .reduce<T | undefined>((best, it) => {
      return best === undefined || specificity(it.reason) < specificity(best.reason) ? it : best;
    }, undefined);
}
