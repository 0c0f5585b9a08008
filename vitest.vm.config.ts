import { defineConfig } from 'vitest/config';

/** The tests that run inside the virtual machine of `npm run test:vm`, which is slow. */
export default defineConfig({
  test: {
    include: ['test/vm/*.test.ts'],
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
