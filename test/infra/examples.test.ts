import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { exampleText, examplePath } from '../examples.ts';
import { validatorOf } from './validator.ts';

const FOLDERS = readdirSync(examplePath('.'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const ROWS = new Map(
  [...exampleText('README.md').matchAll(/^\| `([a-z-]+)` \|.*\| `([^`]+)` \|$/gm)].map(([, name, test]) => [
    name,
    test,
  ]),
);
const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(examplePath(folder))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => join(folder, file)),
);
const job = validatorOf('job.v1.json');

describe('an example', () => {
  it('has a row, and a row has an example', () => {
    expect([...ROWS.keys()].sort()).toEqual(FOLDERS.sort());
  });

  it.each(FOLDERS)('%s is run by the test that its row names', (folder) => {
    const test = examplePath(`../${ROWS.get(folder) ?? 'none'}`);
    expect(existsSync(test), test).toBe(true);
    expect(readFileSync(test, 'utf8')).toMatch(new RegExp(`['"]${folder}/`));
  });

  it.each(FILES)('%s fits the published schema', (file) => {
    const documents = parseAllDocuments(exampleText(file)).map((document) => document.toJS() as unknown);
    expect(documents.length).toBeGreaterThan(0);
    for (const one of documents.filter((value) => !isSession(value))) expect(job(one)).toEqual([]);
  });
});

/** A session cluster is no job; a pool takes its place. */
function isSession(value: unknown): boolean {
  const { kind, spec } = value as { kind?: string; spec?: object };
  return kind === 'FlinkDeployment' && spec !== undefined && !('job' in spec);
}
