/**
 * The main attributes of a `MANIFEST.MF`, names in lower case (they are compared without case). A value may go on in
 * lines that begin with a space, cut anywhere, inside a character as well.
 */
export function parseJarManifest(bytes: Uint8Array): ReadonlyMap<string, string> {
  // One char a byte until the lines are joined.
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const joined = raw.replace(/(\r\n|\n|\r) /g, '');
  const attributes = new Map<string, string>();
  for (const line of joined.split(/\r\n|\n|\r/)) {
    if (line === '') break;
    const colon = line.indexOf(': ');
    if (colon <= 0) continue;
    const value = Buffer.from(line.slice(colon + 2), 'latin1').toString('utf8');
    attributes.set(line.slice(0, colon).toLowerCase(), value);
  }
  return attributes;
}

/** The class that Flink would run: `program-class` before `Main-Class` (PackagedProgram). */
export function entryClassOf(attributes: ReadonlyMap<string, string>): string | undefined {
  const named = attributes.get('program-class') ?? attributes.get('main-class');
  return named === undefined || named.trim() === '' ? undefined : named.trim();
}
