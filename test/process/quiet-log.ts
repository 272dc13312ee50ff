import { vi } from 'vitest';
import type { Log } from '../../src/log.ts';

/** A log that writes nowhere and remembers its calls. */
export function createQuietLog() {
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn(), fatal: vi.fn() };
  return { ...log, log: log as unknown as Log };
}
