// The command line from a clone: builds the bundle when a source is newer than it, and runs it in this process.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildCli, bundle } from './build-cli.mjs';
import { ROOT } from './bundling.mjs';

function newest(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((latest, entry) => {
    const path = join(folder, entry.name);
    return Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }, 0);
}

const built = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = ['package.json', 'infra/build-cli.mjs', 'infra/bundling.mjs', 'infra/page.mjs'].map(
  (path) => statSync(join(ROOT, path)).mtimeMs,
);
const folders = ['lib', 'packages/cli/src', 'packages/page/src'].map((folder) => newest(join(ROOT, folder)));
if (built < Math.max(...folders, ...sources)) await buildCli();
await import(pathToFileURL(bundle).href);
