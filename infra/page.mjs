// Bundles the page into three texts: what the dashboard serves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, URL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'packages/page/src');

/** By the names under which the dashboard looks for them. */
export async function buildPage() {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { page: join(SOURCE, 'main.tsx'), style: join(SOURCE, 'page.css') },
    outdir: 'dist/page',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    legalComments: 'none',
    write: false,
  });
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text;
  const html = readFileSync(join(SOURCE, 'page.html'), 'utf8');
  return { 'page.html': html, 'page.js': text('.js'), 'page.css': text('.css') };
}
