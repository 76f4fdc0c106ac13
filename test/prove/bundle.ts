import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build as bundle, type Plugin } from 'esbuild';
import type { Mutant } from './mutants.ts';

export const CACHE = 'node_modules/.cache/prove';

/** Bundles the worker, with a guard removed when a mutant says so; answers the file. */
export async function bundleWorker(mutant?: Mutant): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const outfile = resolve(CACHE, `worker-${process.pid}-${mutant?.name.replaceAll(/\W+/g, '-') ?? 'whole'}.mjs`);
  await bundle({
    entryPoints: ['test/prove/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    packages: 'external',
    logLevel: 'error',
    plugins: mutant === undefined ? [] : [remove(mutant)],
  });
  return outfile;
}

/** Nothing in the product knows of this: the guard is taken out of its source on the way to the worker. */
function remove(mutant: Mutant): Plugin {
  return {
    name: 'remove-a-guard',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== join(process.cwd(), mutant.file)) return undefined;
        return { contents: mutate(readFileSync(path, 'utf8'), mutant), loader: 'ts' };
      });
    },
  };
}

/** The same for vitest: `vitest.config.ts` has it where `MUTANT` names one. */
export function mutantPlugin(mutant: Omit<Mutant, 'seeds'>) {
  return {
    // Vitest keeps what it has transformed, by the names of plugins.
    name: `remove-a-guard: ${mutant.name}`,
    enforce: 'pre' as const,
    transform: (code: string, id: string): string | undefined =>
      id === join(process.cwd(), mutant.file) ? mutate(code, mutant) : undefined,
  };
}

/** @throws when the guard is not there, or is there more than once: the list of mutants has to follow the code. */
export function mutate(source: string, { name, guard, without }: Omit<Mutant, 'seeds'>): string {
  const parts = source.split(guard);
  if (parts.length !== 2) throw new Error(`mutant '${name}': its guard is ${parts.length - 1} times in the source`);
  return parts.join(without);
}
