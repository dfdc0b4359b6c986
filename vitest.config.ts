import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/live/**', 'test/middleware/**', 'test/faults/**'],
          setupFiles: ['test/support/fuzz-times.ts'],
          testTimeout: 20_000,
        },
      },
      // Upload services on real servers: the adapters in their hosts, the examples, the page in a browser.
      {
        test: {
          name: 'middleware',
          include: ['test/middleware/**/*.test.ts'],
          globalSetup: ['test/support/cluster/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      // Real servers: one cluster for the whole run, files one after another so that they do not disturb each other's timing.
      {
        test: {
          name: 'live',
          include: ['test/live/**/*.test.ts'],
          globalSetup: ['test/support/cluster/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      // Real servers and everything that can happen to them: minutes, hence by `npm run test:faults`. Each file has clusters of its own.
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
