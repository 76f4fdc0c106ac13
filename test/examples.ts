import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');

/** The path of a file of the examples. */
export function examplePath(file: string): string {
  return join(EXAMPLES, file);
}

export function exampleText(file: string): string {
  return readFileSync(examplePath(file), 'utf8');
}
