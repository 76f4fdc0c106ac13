// Bundles the command line into dist/: one small entry, and chunks that are read only when a command needs them.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL, URL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const bundle = join(root, 'dist/flink-dispatch.mjs');

/** What dependencies that are CommonJS expect to find in an ES module. */
const banner = [
  '#!/usr/bin/env node',
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url);',
].join('\n');

export async function buildCli() {
  const { build } = await import('esbuild');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const result = await build({
    absWorkingDir: root,
    entryPoints: { 'flink-dispatch': 'lib/cli/bin.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    // of the Kubernetes client only its reader of kubeconfigs is used; the rest is 2.6 MB and 50 ms
    alias: { '@kubernetes/client-node': './node_modules/@kubernetes/client-node/dist/config.js' },
    minify: true,
    keepNames: true,
    legalComments: 'linked',
    banner: { js: banner },
    define: { FLINK_DISPATCH_VERSION: JSON.stringify(version) },
    write: false,
  });
  // the entry last, and every file whole: a command that starts meanwhile finds one bundle or the other
  for (const file of result.outputFiles.toSorted((a, b) => Number(a.path === bundle) - Number(b.path === bundle))) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(`${file.path}.${process.pid}`, file.contents);
    renameSync(`${file.path}.${process.pid}`, file.path);
  }
  chmodSync(bundle, 0o755);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await buildCli();
}
