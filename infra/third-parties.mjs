// What the packages are made of: a bill of materials (CycloneDX, by npm) and the licenses of all that is bundled, in dist/.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { ROOT } from './bundling.mjs';

/** The text of a package's license file; undefined when it has none. */
export function licenseOf(name) {
  const folder = join(ROOT, 'node_modules', name);
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').trim();
}

/** One section for each package: what it is called, under which license it is, and that license's text. */
export function noticesOf(components, textOf = licenseOf) {
  const sections = components.map(({ name, version, licenses = [] }) => {
    const ids = licenses.map(({ license, expression }) => expression ?? license?.id ?? license?.name).join(', ');
    const text = textOf(name) ?? `License: ${ids}. The package has no license file.`;
    return `${name} ${version} (${ids || 'no license is named'})\n\n${text}\n`;
  });
  return `Packages that flink-dispatch is bundled with, and their licenses.\n\n${sections.join(`\n${'-'.repeat(78)}\n\n`)}`;
}

function main() {
  const sbom = execFileSync('npm', ['sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(join(ROOT, 'dist/sbom.cdx.json'), sbom);
  // The workspaces are of the product itself.
  const others = JSON.parse(sbom).components.filter(({ name }) => existsSync(join(ROOT, 'node_modules', name)));
  writeFileSync(join(ROOT, 'dist/THIRD-PARTY-NOTICES.txt'), noticesOf(others));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
