import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const STAGES = [
  'core',
  'trigger',
  'job',
  'flink',
  'cluster',
  'registry',
  'delivery',
  'run',
  'outcome',
  'cleanup',
  'dispatch',
];
/** They may import every stage, and no stage imports them. */
const EDGES = ['functions', 'lib/cli', 'infra'];

const files = ['functions', 'lib', 'infra'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap(([, name]) =>
    name === undefined ? [] : [name],
  );
}

function ownImportsOf(file: string): readonly string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(ROOT, resolve(ROOT, dirname(file), name)));
}

const stageOf = (file: string): number => STAGES.indexOf(/^lib\/([^/]+)\//.exec(file)?.[1] ?? '');
const isEdge = (file: string): boolean => EDGES.some((edge) => file.startsWith(`${edge}/`));

describe('the import rule', () => {
  it('knows every folder of lib', () => {
    const folders = readdirSync(join(ROOT, 'lib')).filter((name) => name !== 'cli');
    expect(folders.sort()).toEqual([...STAGES].sort());
  });

  it.each(files.filter((file) => stageOf(file) >= 0))('%s imports its own stage and those to its left', (file) => {
    const wrong = ownImportsOf(file).filter((name) => isEdge(name) || stageOf(name) > stageOf(file));
    expect(wrong, `move the decision to the left, or pass it in as an argument`).toEqual([]);
  });

  it('has the runtime of @kubernetes/client-node loaded by nothing but a dynamic import', () => {
    const loading = files.filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return /^import (?!type\b)[^;]*'@kubernetes\/client-node'/m.test(text) && stageOf(file) >= 0;
    });
    expect(loading, 'use `import type`, or `await import(…)` where it is needed').toEqual([]);
  });
});

describe('effects', () => {
  const PURE = ['core', 'trigger', 'run', 'cleanup', 'dispatch'];
  const pure = files.filter((file) => PURE.some((stage) => file.startsWith(`lib/${stage}/`)));

  it.each(pure.filter((file) => !/\/(s3|sqs)-/.test(file)))('%s neither reads a clock nor the environment', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    expect(text).not.toMatch(/\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bprocess\.env\b|\bfetch\(/);
  });
});
