import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fixtures/**'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    sequence: { shuffle: true, seed: Number(process.env['FIR_TEST_SEED'] ?? 20260101) },
    maxWorkers: 2,
  },
});
