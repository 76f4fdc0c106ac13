import { readFileSync } from 'node:fs';

/** An event as AWS sends it. */
export function eventFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8'));
}
