import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ENTRIES = 12_000;
const ENTRY_BYTES = 12_400;
const MAIN_CLASS = 'org.example.WordCount';

/** Where the manifest is: where `jar` puts it, or after half of the entries, where no end of the file has it. */
export type Place = 'first' | 'middle';

/** A jar of about 150 MB and 12 000 classes' worth of noise, made by the JDK's own `jar`. */
export async function makeBigJar(place: Place): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-jar-'));
  const jar = (...args: readonly string[]) => run('jar', args, { cwd: folder });
  try {
    const halves = ['first', 'second'] as const;
    for (const half of halves) await fill(join(folder, half), half);
    await writeFile(join(folder, 'manifest'), `Main-Class: ${MAIN_CLASS}\n`);
    const all = halves.flatMap((half) => ['-C', half, '.']);
    if (place === 'first') {
      await jar('--create', '--file', 'big.jar', '--manifest', 'manifest', ...all);
    } else {
      await mkdir(join(folder, 'first', 'META-INF'));
      await writeFile(join(folder, 'first', 'META-INF', 'MANIFEST.MF'), `Main-Class: ${MAIN_CLASS}\n`);
      const own = ['-C', 'first', 'META-INF/MANIFEST.MF'];
      await jar('--create', '--no-manifest', '--file', 'big.jar', '-C', 'first', 'org', ...own, '-C', 'second', 'org');
    }
    return await readFile(join(folder, 'big.jar'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(folder: string, name: string): Promise<void> {
  const path = join(folder, 'org', 'example', name);
  await mkdir(path, { recursive: true });
  for (let at = 0; at < ENTRIES / 2; at += 1) {
    await writeFile(join(path, `Type${at}.class`), randomBytes(ENTRY_BYTES));
  }
}
