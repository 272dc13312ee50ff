/** Before each test file, several of which run in one process, one after the other: it begins as if it were the first. */
import { vi } from 'vitest';
import { runningTestFile, writeDown } from './db/query-plans/recording.ts';

vi.useRealTimers();
vi.unstubAllEnvs();

// Only after all test files a statement that nobody issued is one too many.
writeDown({ testFile: runningTestFile() });
