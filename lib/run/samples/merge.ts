import { readSamples, writeSamples } from './sample-text.ts';
import { MOST_POINTS, type Sample } from './sample.ts';

/** So many of the newest stay as they came; then they join the older ones. */
export const MOST_RECENT = 60;
const MOST_OLDER = MOST_POINTS - MOST_RECENT;

/** In order of time, each once: the same sample may stand in both, when a function died between the two writes. */
export function mergeSamples(older: string, recent: string): readonly Sample[] {
  const byTime = new Map([...readSamples(older), ...readSamples(recent)].map((sample) => [sample.at, sample]));
  return [...byTime.values()].sort((a, b) => a.at - b.at);
}

/** What the older ones become when the newest join them. */
export function foldSamples(older: string, recent: string): string {
  return writeSamples(fewer(mergeSamples(older, recent), MOST_OLDER));
}

/**
 * At most so many, evenly over their time. Counts only grow, so what happened in between is in the ones that stay; of heaps
 * the fullest counts.
 */
export function fewer(samples: readonly Sample[], most: number): readonly Sample[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (samples.length <= most || first === undefined || last === undefined) return samples;
  const span = (last.at - first.at + 1) / (most - 1);
  const spans = new Map<number, Sample[]>();
  for (const sample of samples.slice(1)) {
    const number = Math.floor((sample.at - first.at) / span);
    spans.set(number, [...(spans.get(number) ?? []), sample]);
  }
  return [first, ...[...spans.values()].flatMap(lastOf)];
}

function lastOf(samples: readonly Sample[]): readonly Sample[] {
  const last = samples.at(-1);
  if (last === undefined) return [];
  const fullest = samples.flatMap(({ heap }) => heap ?? []).sort((a, b) => b.used / b.max - a.used / a.max)[0];
  return [fullest === undefined ? last : { ...last, heap: fullest }];
}
