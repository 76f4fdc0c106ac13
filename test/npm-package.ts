import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');

/**
 * The npm package as a file: that of the variable `PACKED`, or one that is made in a folder. Making it begins with an empty `dist`,
 * so suites that run beside each other share one.
 */
export function npmPackage(folder: string): string {
  const packed = process.env['PACKED'];
  if (packed) return packed;
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: PROJECT });
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
}
