import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { instrument } from './instrument.ts';

const { ROOM = '', TESTS = '', TEXTS } = process.env;
const files = await instrument(ROOM, TEXTS !== undefined);

/** All mutants of `ROOM`'s files are compiled in, and the runner chooses. `TESTS`: folders. `TEXTS`: texts, too. */
export default defineConfig({
  plugins: [
    {
      name: `mutants of ${ROOM} ${Date.now()}`,
      enforce: 'pre',
      load: (id: string): string | undefined => files.get(relative(process.cwd(), id)),
    },
  ],
  test: {
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    runner: './test/mutate/runner.ts',
    testTimeout: 120_000,
    include: TESTS.split(',').map((folder) => (folder.endsWith('.ts') ? folder : `${folder}/**/*.test.ts`)),
    exclude: ['**/*.slow.test.ts', '**/node_modules/**'],
  },
});
