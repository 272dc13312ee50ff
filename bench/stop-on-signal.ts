import { stopAllChildren } from '../scripts/embedded/child.ts';

const STOP_MS = 3_000;
const INTERRUPTED = 130; // what shells say of a program that Ctrl-C ended

/**
 * Each server that a benchmark starts leads a process group of its own (scripts/embedded/child.ts), so Ctrl-C does not
 * reach it, and it would go on without us. SIGINT: PostgreSQL does not wait for its clients then.
 */
export function stopOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      console.error(`\n${signal}: stopping what this run has started`);
      await stopAllChildren([{ signal: 'SIGINT', waitMs: STOP_MS }]);
      process.exit(INTERRUPTED);
    });
  }
}
