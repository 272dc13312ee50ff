import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The page waits with jitter before it comes back: longer than the one second that poll allows by default.
    expect: { poll: { timeout: 15_000 } },
    include: ['test/browser/**/*.test.ts', 'test/modules/**/*.browser.test.ts'],
    globalSetup: './test/browser/product.ts',
    // One product, one browser: each file in turn, each step after the one before.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
