import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Needs a browser: npm run test:browser.
    exclude: [...configDefaults.exclude, 'test/browser/**'],
    globalSetup: './test/global-setup.ts',
    // Real servers on the same cores: more files at once would only make each slower.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 40_000,
  },
});
