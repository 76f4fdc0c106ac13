import { JarFault } from './jar-fault.ts';

/** Bytes of a line with its end, the buffer of `java.util.jar.Manifest`. */
const MAX_LINE = 512;

/**
 * The main attributes of a `MANIFEST.MF`, names in lower case, as `java.util.jar.Manifest` reads them: names are compared
 * without case, the last of two equal names wins, a value may go on in lines that begin with a space, cut inside a
 * character as well, and a last line without its end is not there.
 * @param whole false: the bytes end somewhere, and only the main attributes are looked at
 * @throws JarFault naming the line for which Java refuses the jar
 */
export function parseJarManifest(bytes: Uint8Array, whole = true): ReadonlyMap<string, string> {
  const lines = linesOf(bytes);
  const end = lines.indexOf('');
  const main = end === -1 ? lines : lines.slice(0, end);
  const { attributes, fault } = readSection(main, 1);
  const wrong = fault ?? (whole && end !== -1 ? faultOfSections(lines, end + 1) : undefined);
  if (wrong !== undefined) throw new JarFault(`has a manifest that Java refuses: ${wrong}`);
  return attributes;
}

/** The class that Flink would run: `program-class` before `Main-Class` (PackagedProgram). */
export function entryClassOf(attributes: ReadonlyMap<string, string>): string | undefined {
  const named = attributes.get('program-class') ?? attributes.get('main-class');
  return named === undefined || named.trim() === '' ? undefined : named.trim();
}

/** One char a byte; a line that is too long for Java stays as it is, and is refused. */
function linesOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return Array.from(text.matchAll(/([^\r\n]*)(\r\n|\n|\r)/g), ([whole, line = '']) =>
    whole.length > MAX_LINE ? whole : line,
  );
}

interface Section {
  readonly attributes: Map<string, string>;
  readonly fault?: string;
}

/** @param number of the first line, counted from 1 */
function readSection(lines: readonly string[], number: number): Section {
  const attributes = new Map<string, string>();
  let name: string | undefined;
  let value = '';
  const keep = (): void => {
    if (name !== undefined) attributes.set(name, Buffer.from(value, 'latin1').toString('utf8'));
  };
  for (const [index, line] of lines.entries()) {
    const fault = (what: string): Section => ({ attributes, fault: `line ${number + index} ${what}` });
    if (line.length >= MAX_LINE) return fault(`is longer than ${MAX_LINE} bytes`);
    if (line.startsWith(' ')) {
      if (name === undefined) return fault('continues no line');
      value += line.slice(1);
      continue;
    }
    keep();
    const colon = line.indexOf(':');
    if (colon === -1 || line[colon + 1] !== ' ') return fault("has no ': ' between a name and a value");
    if (!/^[\w-]{1,70}$/.test(line.slice(0, colon))) return fault('has a name that is not of letters, digits, _ and -');
    name = line.slice(0, colon).toLowerCase();
    value = line.slice(colon + 2);
  }
  keep();
  return { attributes };
}

/** Sections of single files; they must be well-formed, too, or Java refuses all of the manifest. */
function faultOfSections(lines: readonly string[], start: number): string | undefined {
  let at = start;
  while (at < lines.length) {
    if (lines[at] === '') {
      at += 1;
      continue;
    }
    if (!/^Name: /i.test(lines[at] ?? '')) return `line ${at + 1} begins a section without its Name`;
    const end = lines.indexOf('', at);
    const section = lines.slice(at, end === -1 ? lines.length : end);
    const { fault } = readSection(section, at + 1);
    if (fault !== undefined) return fault;
    at += section.length;
  }
  return undefined;
}
