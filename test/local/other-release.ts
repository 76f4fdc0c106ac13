import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { zip } from '../../infra/aws/zip.mjs';
import { bundleFunction, ROOT } from '../../infra/bundling.mjs';
import type { Template } from '../../lib/install/template.ts';
import { mutate } from '../prove/bundle.ts';

/** A place of the source, which has to be there exactly once, and what another version has there. */
export interface Difference {
  readonly file: string;
  readonly guard: string;
  readonly without: string;
}

/** Makes a release that differs from another one in its version and in a few places of the source. Answers its folder. */
export async function otherRelease(base: string, version: string, differences: readonly Difference[]): Promise<string> {
  const folder = join(base, '..', `release-${version}`);
  await mkdir(folder);
  const plugin = differ(version, differences);
  for (const name of (await readdir(base)).filter((file) => file.endsWith('.zip'))) {
    const entry = name.replace('.zip', '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    await writeFile(join(folder, name), zip(await bundleFunction(`functions/${entry}.handler`, [plugin])));
  }
  const template = JSON.parse(await readFile(join(base, 'template.json'), 'utf8')) as Template;
  const CodeVersion = { Type: 'String', Default: version };
  const Parameters = { ...template.Parameters, CodeVersion };
  await writeFile(join(folder, 'template.json'), JSON.stringify({ ...template, Parameters }));
  return folder;
}

function differ(name: string, differences: readonly Difference[]): Plugin {
  const of = (path: string): Difference[] => differences.filter(({ file }) => path === join(ROOT, file));
  return {
    name: 'another-version',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const here = of(path);
        if (here.length === 0) return undefined;
        const source = await readFile(path, 'utf8');
        return { contents: here.reduce((text, one) => mutate(text, { name, ...one }), source), loader: 'ts' };
      });
    },
  };
}
