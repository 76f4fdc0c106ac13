import type { Draws } from '../draws.ts';

/** Whether a world has a stream beside its runs. */
export function hasStream(draws: Draws): boolean {
  return draws.chance('streams', 0.2);
}
