// Bundles the command line into dist/: one small entry, and chunks that are read only when a command needs them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { BUNDLE_OPTIONS, REQUIRE_BANNER, ROOT } from './bundling.mjs';
import { buildPage } from './page.mjs';

export const bundle = join(ROOT, 'dist/flink-dispatch.mjs');

/** `0.1.0 (906886e)`: the commit where there is a repository, with a `+` when files differ from it. */
function version() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--exclude=*', '--abbrev=7', '--dirty=+'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return status === 0 ? `${version} (${stdout.trim()})` : version;
}

export async function buildCli() {
  const { build } = await import('esbuild');
  const result = await build({
    ...BUNDLE_OPTIONS,
    entryPoints: { 'flink-dispatch': 'packages/cli/src/bin.ts' },
    outdir: 'dist',
    keepNames: true,
    legalComments: 'linked',
    banner: { js: `#!/usr/bin/env node\n${REQUIRE_BANNER}` },
    // Chunks are a folder below the bundle.
    define: {
      FLINK_DISPATCH_VERSION: JSON.stringify(version()),
      FLINK_DISPATCH_PAGE: JSON.stringify('../page/'),
      FLINK_DISPATCH_RELEASE: JSON.stringify('../release/'),
    },
    write: false,
  });
  const page = Object.entries(await buildPage());
  const pageFiles = page.map(([name, contents]) => ({ path: join(ROOT, 'dist/page', name), contents }));
  // the entry last, and every file whole: a command that starts meanwhile finds one bundle or the other
  const files = [...pageFiles, ...result.outputFiles];
  for (const file of files.toSorted((a, b) => Number(a.path === bundle) - Number(b.path === bundle))) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(`${file.path}.${process.pid}`, file.contents);
    renameSync(`${file.path}.${process.pid}`, file.path);
  }
  chmodSync(bundle, 0o755);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  await buildCli();
}
