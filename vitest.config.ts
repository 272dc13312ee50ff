import { globSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

const ALL = ['test/**/*.test.ts', 'template/test/**/*.test.ts'];
/** Needs a browser: npm run test:browser. */
const BROWSER = ['test/browser/**', '**/*.browser.test.ts'];
/** The bench, the commands and the servers that they start: npm run test:tools. */
const TOOLS = ['test/bench/**/*.test.ts', 'test/scripts/**/*.test.ts', '**/test/modules/*/{bench,*.bench}.test.ts'];
const QUERIES_RECORDED = 'test/db/query-plans/recorded.test.ts';

/** Each in a process of its own: those that are about the process, and those that replace a module for all others. */
const OWN_PROCESS = [
  'test/process/**/*.test.ts',
  ...globSync(ALL, { cwd: import.meta.dirname }).filter((file) =>
    readFileSync(join(import.meta.dirname, file), 'utf8').includes('vi.mock('),
  ),
];

/** Each project says it again, for one that extended the root would start the servers of its globalSetup once more. */
const EVERYWHERE = {
  // Two for each core of a small machine, because most tests also wait for a server.
  maxWorkers: 4,
  // What is waited for comes as soon as the machine has time for it: only a test that fails takes as long.
  testTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
  hookTimeout: 300_000,
  // Where the test files write down which statements the product issued: see test/db/query-plans/record.ts.
  env: { QUERY_RECORD: mkdtempSync(join(tmpdir(), 'tardigrade-queries-')) },
};
const PRODUCT = { ...EVERYWHERE, setupFiles: './test/begin-file.ts' };
const NOT_PRODUCT = [...configDefaults.exclude, ...BROWSER, ...TOOLS, QUERIES_RECORDED];

export default defineConfig({
  test: {
    ...EVERYWHERE,
    globalSetup: './test/global-setup.ts',
    projects: [
      {
        // One process runs many files: to start it and load the product for each takes a third of all the work.
        test: { ...PRODUCT, name: 'product', isolate: false, include: ALL, exclude: [...NOT_PRODUCT, ...OWN_PROCESS] },
      },
      { test: { ...PRODUCT, name: 'own-process', include: OWN_PROCESS, exclude: NOT_PRODUCT } },
      { test: { ...EVERYWHERE, name: 'tools', include: TOOLS, exclude: [...configDefaults.exclude, ...BROWSER] } },
      // After all others, for it looks at what they recorded.
      { test: { ...EVERYWHERE, name: 'queries', include: [QUERIES_RECORDED], sequence: { groupOrder: 1 } } },
    ],
  },
});
