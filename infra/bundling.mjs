// How esbuild bundles this project: what the command line and the functions have in common, and the functions' own.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import { buildPage } from './page.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What dependencies that are CommonJS expect to find in an ES module. */
export const REQUIRE_BANNER = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url);',
].join('\n');

export const BUNDLE_OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  // What is imported when needed is a file of its own, and costs nothing until then.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outExtension: { '.js': '.mjs' },
  // ES module entry points first: a bundled CommonJS one would `require` at run time and drag in twice the code.
  mainFields: ['module', 'main'],
  // Of the Kubernetes client only OpenID Connect and proxies are used; the rest is 2.6 MB and 50 ms.
  alias: {
    '@kubernetes/client-node': './node_modules/@kubernetes/client-node/dist/config.js',
    undici: './infra/unused-undici.mjs',
  },
};

/** One position of an unnamed file. */
const EMPTY_MAP = Buffer.from('{"version":3,"sources":[""],"mappings":"AAAA"}').toString('base64');

/** Source maps for our own code alone: a package's map is larger than its code. */
const ownSourceMaps = {
  name: 'own-source-maps',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules[/\\].*\.m?js$/ }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${EMPTY_MAP}`,
      loader: 'js',
    }));
  },
};

/** The AWS clients are bundled too: the runtime's own copy changes under a deployed function and loads slower. */
export const FUNCTION_OPTIONS = {
  ...BUNDLE_OPTIONS,
  outdir: 'functions',
  sourcemap: 'linked',
  sourcesContent: false,
  banner: { js: REQUIRE_BANNER },
  plugins: [ownSourceMaps],
};

/** The page's function has the page in it. */
export async function optionsOf(entry) {
  if (entry !== 'functions/on-page.ts') return {};
  const { 'page.html': html, 'page.js': script, 'page.css': style } = await buildPage();
  return { define: { FLINK_DISPATCH_PAGE_FILES: JSON.stringify({ html, script, style }) } };
}

/**
 * The files of one function: its entry `functions/<name>.mjs`, and the chunks that this entry can reach. Each function is
 * built by itself: a build of several at once does not tell whose chunk is whose. `plugins`: of esbuild, beside its own.
 */
export async function bundleFunction(handler, plugins = []) {
  const { build } = await import('esbuild');
  const entry = handler.replace(/\.\w+$/, '.ts');
  const own = { plugins: [...FUNCTION_OPTIONS.plugins, ...plugins], ...(await optionsOf(entry)) };
  const { outputFiles } = await build({ ...FUNCTION_OPTIONS, ...own, entryPoints: [entry], write: false });
  return outputFiles.map(({ path, contents }) => ({ name: relative(ROOT, path).replaceAll('\\', '/'), contents }));
}
