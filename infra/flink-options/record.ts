import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Writes lib/flink/options/documented.json from the distributions of the oldest and the newest Flink that are given:
//   npm run record:options -- <folder of Flink 1.20.0> <folder of Flink 2.3.0>

const TARGET = fileURLToPath(new URL('../../lib/flink/options/documented.json', import.meta.url));
const RECORDER = fileURLToPath(new URL('RecordOptions.java', import.meta.url));
const MAX_SENTENCE = 300;

interface Recorded {
  readonly key: string;
  readonly rest: readonly string[];
}

function optionsOf(home: string, classes: string): Map<string, Recorded> {
  const text = execFileSync('java', ['-cp', classes, 'RecordOptions', home], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('$'));
  return new Map(
    lines.map((line) => {
      const [key = '', ...rest] = line.split('\t');
      return [key, { key, rest }];
    }),
  );
}

function sentenceOf(html: string): string {
  const text = html
    .replace(/<\/?(?:br|p|ul|li|div)\b[^>]*>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&');
  const sentence = /^.*?(?<!\b(?:e\.g|i\.e|etc))[.!?](?=\s+[A-Z]|\s*$)/s.exec(text)?.[0] ?? text;
  return sentence.length <= MAX_SENTENCE
    ? sentence.trim()
    : `${sentence.slice(0, MAX_SENTENCE).replace(/\s\S*$/, '')} …`;
}

const [older = '', newer = ''] = process.argv.slice(2);
const classes = mkdtempSync(join(tmpdir(), 'flink-options-'));
execFileSync('javac', ['-d', classes, RECORDER]);
const [before, now] = [optionsOf(older, classes), optionsOf(newer, classes)];
rmSync(classes, { recursive: true });
const entries = [...new Map([...before, ...now]).values()]
  .sort((a, b) => (a.key < b.key ? -1 : 1))
  .map(({ key, rest: [type = '', byDefault = '', values = '', older_ = '', html = ''] }) => {
    const versions = !before.has(key) ? '+' : !now.has(key) ? '-' : '';
    return JSON.stringify([key, type, byDefault, values, older_, versions, sentenceOf(html)]);
  });
writeFileSync(TARGET, `[\n${entries.join(',\n')}\n]\n`);
process.stdout.write(`${entries.length} options in ${TARGET}\n`);
