/** Before each test file: that it ran. Only after all of them a statement that nobody issued is one too many. */
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { writeDown } from './recording.ts';

const root = join(import.meta.dirname, '..', '..', '..');
writeDown({ testFile: relative(root, expect.getState().testPath ?? '') });
