import { defineConfig } from 'vitest/config';

// The mutation run asks the reconciler's own tests only: pure, and quick enough to run thousands of times.
export default defineConfig({
  test: { include: ['test/reconciler/**/*.test.ts'], testTimeout: 10_000 },
});
