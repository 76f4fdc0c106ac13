import type { Result } from './world.ts';

/** What happened, line by line, for a person. */
export function storyOf({ seed, wishes, faults, story, violations }: Result): string {
  const width = Math.min(44, Math.max(0, ...story.map(({ who }) => who.length)));
  const lines = story.map(({ at, who, what }) => {
    const seconds = (at / 1000).toFixed(3).padStart(10);
    return `${seconds}  ${who.slice(0, width).padEnd(width)}  ${what.length > 300 ? `${what.slice(0, 300)}…` : what}`;
  });
  return [
    `seed ${seed}: ${wishes.join(', ')}`,
    ...lines,
    ...faults.map(({ at, kind }) => `fault ${kind}: ${at}`),
    ...violations.map(({ invariant, detail }) => `VIOLATED ${invariant}: ${detail}`),
  ].join('\n');
}
