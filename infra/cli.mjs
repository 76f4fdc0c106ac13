// The command line from a clone: builds the bundle when a source is newer than it, and runs it in this process.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL, URL } from 'node:url';
import { buildCli, bundle } from './build-cli.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function newest(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((latest, entry) => {
    const path = join(folder, entry.name);
    return Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }, 0);
}

const built = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = [join(root, 'package.json'), join(root, 'infra/build-cli.mjs')].map((path) => statSync(path).mtimeMs);
if (built < Math.max(newest(join(root, 'lib')), ...sources)) await buildCli();
await import(pathToFileURL(bundle).href);
