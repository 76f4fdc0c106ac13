// Draws what the demo prints: `FORCE_COLOR=1 npm run -s demo | npm run -s docs:picture`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'demo.svg');

/** Pixels. */
const LINE = 19;
const CHARACTER = 7.83;
const MARGIN = 18;
/** Longer lines are cut. */
const COLUMNS = 110;
/** Lines of the event, of which the README shows one whole. */
const MOST_OF_EVENT = 6;

const CLASSES: Readonly<Record<string, string>> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  36: 'cyan',
};
const STYLE = `text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #d0d7de; white-space: pre; }
.bold { font-weight: 600; fill: #f0f6fc; } .dim { fill: #8b949e; } .red { fill: #ff7b72; }
.green { fill: #56d364; } .yellow { fill: #e3b341; } .cyan { fill: #76e3ea; }`;

/** The same text is always the same picture. */
function pictureOf(printed: string): string {
  const lines = shortened(printed.trimEnd().split('\n'));
  const width = Math.ceil(2 * MARGIN + CHARACTER * Math.max(...lines.map((line) => plain(line).length)));
  const height = 2 * MARGIN + LINE * lines.length;
  const texts = lines.map((line, row) => `<text x="${MARGIN}" y="${MARGIN + LINE * row + 13}">${spans(line)}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>What the demo prints</title>',
    `<style>${STYLE}</style>`,
    '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

/** Of the event its beginning alone. */
function shortened(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => plain(line) === '  {');
  const end = lines.findIndex((line) => plain(line) === '  }');
  if (start < 0 || end < start) return lines.map(cut);
  const hidden = end - start - MOST_OF_EVENT;
  const event = [...lines.slice(start, start + MOST_OF_EVENT), `\u001b[2m    … ${hidden} lines\u001b[22m`, '  }'];
  return [...lines.slice(0, start), ...event, ...lines.slice(end + 1)].map(cut);
}

function cut(line: string): string {
  return plain(line).length <= COLUMNS ? line : `${plain(line).slice(0, COLUMNS - 1)}…`;
}

function plain(line: string): string {
  // eslint-disable-next-line no-control-regex -- that is what a terminal is told
  return line.replace(/\u001b\[\d+m/g, '');
}

/** A style lasts until the next code. */
function spans(line: string): string {
  // eslint-disable-next-line no-control-regex -- as above
  const [first = '', ...parts] = line.split(/\u001b\[(\d+)m/);
  let text = escaped(first);
  for (let at = 0; at < parts.length; at += 2) {
    const [code = '', words = ''] = [parts[at], parts[at + 1]];
    const name = CLASSES[code];
    if (words !== '') text += name === undefined ? escaped(words) : `<tspan class="${name}">${escaped(words)}</tspan>`;
  }
  return text;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

if (process.argv[1] === import.meta.filename) writeFileSync(FILE, pictureOf(readFileSync(0, 'utf8')));
