// What the packages are made of, in dist/: a bill of materials (CycloneDX, by npm) and the licenses of all that is bundled.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { BUNDLE_OPTIONS, ROOT } from './bundling.mjs';

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

/** The folder of the package that a bundled file is of; undefined for a file of ours. */
export function packageFolder(path) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

/** `name@version` of each package of which the command line, its page or a function holds code. */
export async function bundledPackages() {
  const { build } = await import('esbuild');
  const functions = readdirSync(join(ROOT, 'functions')).filter((file) => file.endsWith('.ts'));
  const { metafile } = await build({
    ...BUNDLE_OPTIONS,
    entryPoints: [
      'packages/cli/src/bin.ts',
      'packages/page/src/main.tsx',
      ...functions.map((file) => `functions/${file}`),
    ],
    outdir: 'dist',
    metafile: true,
    write: false,
  });
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(files.map(packageFolder).filter((folder) => folder !== undefined));
  return new Set(
    [...folders].map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
      return `${name}@${version}`;
    }),
  );
}

/** The bill without what only builds and tests: of the packages, and of who needs whom among them. */
export function onlyBundled(sbom, bundled) {
  const product = sbom.metadata.component['bom-ref'];
  const isBundled = (ref) => bundled.has(ref) || ref === product;
  return {
    ...sbom,
    components: sbom.components.filter((component) => bundled.has(component['bom-ref'])),
    dependencies: sbom.dependencies
      .filter(({ ref }) => isBundled(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isBundled) })),
  };
}

async function main() {
  const listed = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const sbom = onlyBundled(JSON.parse(listed), await bundledPackages());
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(join(ROOT, 'dist/sbom.cdx.json'), JSON.stringify(sbom, undefined, 2));
  writeFileSync(join(ROOT, 'dist/THIRD-PARTY-NOTICES.txt'), noticesOf(sbom.components));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
