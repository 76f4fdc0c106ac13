import { defineConfig } from 'vitest/config';

// A shared machine can stop for longer than Flink's or Kubernetes' own timeouts; what fails twice is a defect.
const retry = process.env['CI'] === undefined ? 0 : 1;

const needsMore = ['test/local/**', 'test/cluster/**'];

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/contract/**', ...needsMore] } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 30_000 } },
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
