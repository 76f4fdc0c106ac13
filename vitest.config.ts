import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** `npm run prove -- --mutate` runs a unit test without the guard that it holds. */
async function withoutGuard(name: string | undefined) {
  if (name === undefined) return [];
  const [{ TESTED }, { mutantPlugin }] = await Promise.all([
    import('./test/prove/mutants.ts'),
    import('./test/prove/bundle.ts'),
  ]);
  return TESTED.filter((mutant) => mutant.name === name).map(mutantPlugin);
}

// A shared machine can stop for longer than Flink's or Kubernetes' own timeouts; what fails twice is a defect.
const retry = process.env['CI'] === undefined ? 0 : 1;

/** Every fault at every effect, many worlds, random input, whole packages: `npm run test:slow`. */
const SLOW = ['test/**/*.slow.test.ts', 'test/fuzz/**/*.test.ts'];
/** They need Flink, Kubernetes, Chromium or Airflow. */
const NEEDS_MORE = ['test/local/**', 'test/cluster/**', 'test/page/**', 'test/airflow/**'];

/**
 * Test files share what a worker has loaded, so each restores what it replaces: clients, variables. The time is for a
 * machine that others use as well.
 */
const shared = { isolate: false, pool: 'threads', testTimeout: 30_000, hookTimeout: 30_000 } as const;

export default defineConfig({
  test: {
    // vitest's own choice leaves one core idle, which is half of a machine with two.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: await withoutGuard(process.env['MUTANT']),
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
          exclude: ['test/contract/**', ...SLOW, ...NEEDS_MORE],
        },
      },
      {
        test: {
          ...shared,
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          exclude: SLOW,
        },
      },
      // CI plays them beside what waits, with what is left of the processor.
      { test: { name: 'slow', include: SLOW, testTimeout: 1_800_000, hookTimeout: 600_000 } },
      {
        test: { name: 'page', include: ['test/page/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, retry },
      },
      {
        test: {
          name: 'local',
          include: ['test/local/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        test: {
          name: 'airflow',
          include: ['test/airflow/**/*.test.ts'],
          testTimeout: 500_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          retry,
        },
      },
    ],
  },
});
