import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { circlesIn } from './import-circles.ts';

const ROOT = join(import.meta.dirname, '..');
const STAGES = [
  'core',
  'http',
  'trigger',
  'flink',
  'registry',
  'state',
  'job',
  'kubernetes',
  'diagnosis',
  'delivery',
  'run',
  'verdict',
  'deployment',
  'outcome',
  'dispatch',
  'operate',
  'view',
  'install',
];
/** They may import every stage, and no stage imports them. */
const EDGES = ['functions', 'packages', 'infra'];
/** About 20. */
const MOST_FILES = 21;

interface Source {
  readonly file: string;
  readonly text: string;
  /** Files of this project that it imports, types included. */
  readonly imports: readonly string[];
}

const sources: readonly Source[] = ['lib', ...EDGES].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => sourceOf(join(folder, name))),
);

function sourceOf(file: string): Source {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, name = '']) => name);
  return { file, text, imports: names.map((name) => relative(ROOT, resolve(ROOT, dirname(file), name))) };
}

const stageOf = (file: string): number => STAGES.indexOf(/^lib\/([^/]+)\//.exec(file)?.[1] ?? '');
const isEdge = (file: string): boolean => EDGES.some((edge) => file.startsWith(`${edge}/`));
const inLib = sources.filter(({ file }) => stageOf(file) >= 0);

describe('the import rule', () => {
  it('knows every folder of lib', () => {
    expect(readdirSync(join(ROOT, 'lib')).sort()).toEqual([...STAGES].sort());
  });

  it('lets a file of lib import its own stage and those to its left', () => {
    const wrong = inLib.flatMap(({ file, imports }) =>
      imports.filter((name) => isEdge(name) || stageOf(name) > stageOf(file)).map((name) => `${file} imports ${name}`),
    );
    expect(wrong, 'move the decision to the left, or pass it in as an argument').toEqual([]);
  });

  it('has no circle', () => {
    const circles = circlesIn(new Map(sources.map(({ file, imports }) => [file, imports])));
    expect(
      circles.map((circle) => circle.join(' → ')),
      'move the types that are shared to a file of their own',
    ).toEqual([]);
  });

  it('has the runtime of @kubernetes/client-node loaded by nothing but a dynamic import', () => {
    const loading = inLib.filter(({ text }) => /^import (?!type\b)[^;]*'@kubernetes\/client-node'/m.test(text));
    expect(
      loading.map(({ file }) => file),
      'use `import type`, or `await import(…)` where it is needed',
    ).toEqual([]);
  });
});

describe('circlesIn', () => {
  it('finds each group of files that reach one another', () => {
    const imports = {
      a: ['b'],
      b: ['c', 'd'],
      c: ['a'],
      d: ['e'],
      e: [],
      f: ['f', 'g'],
      g: ['h'],
      h: ['g', 'missing'],
    };
    expect(circlesIn(new Map(Object.entries(imports)))).toEqual([['a', 'b', 'c'], ['g', 'h'], ['f']]);
  });
});

describe('effects', () => {
  const PURE = [
    'core',
    'trigger',
    'diagnosis',
    'run',
    'verdict',
    'deployment',
    'dispatch',
    'operate',
    'view',
    'install',
  ].map((stage) => STAGES.indexOf(stage));

  it('stay out of the stages that decide: no clock and no environment', () => {
    const impure = inLib
      .filter(({ file }) => PURE.includes(stageOf(file)) && !/\/(s3|sqs)-/.test(file))
      .filter(({ text }) => /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bprocess\.env\b|\bfetch\(/.test(text));
    expect(
      impure.map(({ file }) => file),
      'pass time, settings and answers in as arguments',
    ).toEqual([]);
  });
});

describe('folders', () => {
  it(`hold at most ${MOST_FILES} files`, () => {
    const counts = new Map<string, number>();
    for (const file of sourceFiles()) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    const full = [...counts].filter(([, count]) => count > MOST_FILES);
    expect(full.map(([folder]) => folder).sort(), 'make a folder of what belongs together').toEqual([]);
  });
});

/** Those that people read and write; not what was recorded. */
function sourceFiles(): readonly string[] {
  return ['lib', 'test', 'docs', ...EDGES].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(relative(ROOT, parentPath), name))
      .filter((file) => !file.includes('node_modules') && !file.startsWith('test/fixtures/')),
  );
}
