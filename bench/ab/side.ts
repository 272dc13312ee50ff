/** One of the two versions, in a process of its own: this file's copy in a worktree starts the product of that worktree. */
import path from 'node:path';
import { startLayout } from '../layout/layout.ts';
import { signInSeeded } from '../load/accounts.ts';
import type { Account } from '../load/plan.ts';

export type ToSide = { readonly ask: 'cpu' } | { readonly ask: 'stop' };
export type FromSide =
  | {
      readonly ready: {
        readonly url: string;
        readonly accounts: readonly Account[];
        readonly faults: readonly string[];
      };
    }
  | { readonly cpuSeconds: number }
  | { readonly error: string };

const ROOT = path.resolve(import.meta.dirname, '..', '..');

// Ctrl-C reaches the whole group; who stops is for the parent to say.
process.on('SIGINT', () => undefined);
try {
  const layout = await startLayout({
    kind: 'nano-each',
    seedScale: 1,
    folder: path.join(ROOT, '.tardigrade', 'bench', 'ab'),
    soft: true,
  });
  const stop = async () => {
    await layout.stop();
    process.exit();
  };
  process.on('message', ({ ask }: ToSide) => {
    if (ask === 'stop') return void stop();
    const boxes = [...layout.boxes.values()];
    tell({ cpuSeconds: boxes.reduce((sum, box) => sum + box.figures().cpuSeconds, 0) });
  });
  // Without a parent there is nobody to measure for.
  process.on('disconnect', () => void stop());
  const { api } = layout.addresses;
  tell({ ready: { url: api, accounts: await signInSeeded(api), faults: layout.voidReasons() } });
} catch (error) {
  tell({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}

function tell(message: FromSide): void {
  process.send?.(message);
}
