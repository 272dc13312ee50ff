import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

const ALL = ['test/**/*.test.ts', 'template/test/**/*.test.ts'];
/** Needs a browser: npm run test:browser. */
const BROWSER = ['test/browser/**', '**/*.browser.test.ts'];
/** The bench, the commands and the servers that they start: npm run test:tools. */
const TOOLS = ['test/bench/**/*.test.ts', 'test/scripts/**/*.test.ts', '**/test/modules/*/{bench,*.bench}.test.ts'];
const QUERIES_RECORDED = 'test/db/query-plans/recorded.test.ts';

export default defineConfig({
  test: {
    // Two for each core of a small machine: most of the time a test waits for a server, and 2 of them took 210 s, 4 take 131 s.
    maxWorkers: 4,
    testTimeout: 20_000,
    // What is waited for comes as soon as the machine has time for it.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 40_000,
    // Where the test files write down which statements the product issued: see test/db/query-plans/record.ts.
    env: { QUERY_RECORD: mkdtempSync(join(tmpdir(), 'tardigrade-queries-')) },
    projects: [
      {
        extends: true,
        test: {
          name: 'product',
          include: ALL,
          exclude: [...configDefaults.exclude, ...BROWSER, ...TOOLS, QUERIES_RECORDED],
          globalSetup: './test/global-setup.ts',
          setupFiles: './test/db/query-plans/mark-file.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'tools',
          include: TOOLS,
          exclude: [...configDefaults.exclude, ...BROWSER],
          globalSetup: './test/global-setup.ts',
        },
      },
      // After all others, for it looks at what they recorded.
      { extends: true, test: { name: 'queries', include: [QUERIES_RECORDED], sequence: { groupOrder: 1 } } },
    ],
  },
});
