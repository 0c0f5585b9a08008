import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Inside the virtual machine of `npm run test:vm` only.
    exclude: ['test/vm/**'],
    // Two cores: the tests that start daemons and processes are the load, so files run two at a time.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    chaiConfig: { truncateThreshold: 0 },
  },
});
