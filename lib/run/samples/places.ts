/** What is kept of an attempt: the newest samples all, of older ones every fourth, of still older ones every sixteenth, … */
const LEVELS = 5;
const PLACES = 100;
const FACTOR = 4;

export const MOST_SAMPLES = LEVELS * PLACES;

/**
 * Where a sample goes, by its number from 1: `<level>-<place>`. A level takes every fourth of those that the one below would,
 * and its oldest one makes room. So samples thin out with their age, and none has to be moved.
 */
export function placeOf(number: number): string {
  let level = 0;
  let rest = number;
  while (level < LEVELS - 1 && rest % FACTOR === 0) {
    level += 1;
    rest /= FACTOR;
  }
  // Those that a higher level took leave no gap.
  const rank = level === LEVELS - 1 ? rest : rest - 1 - Math.floor(rest / FACTOR);
  return `${level}-${String(rank % PLACES).padStart(2, '0')}`;
}
