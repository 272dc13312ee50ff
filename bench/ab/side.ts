/** One of the two versions, in a process of its own: this file's copy in a folder starts the product of that folder. */
import path from 'node:path';
import pg from 'pg';
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

// Ctrl-C reaches the whole group; the parent says who stops.
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
  const { api, databaseAdminUrl } = layout.addresses;
  await settle(databaseAdminUrl);
  tell({ ready: { url: api, accounts: await signInSeeded(api), faults: layout.inconclusiveReasons() } });
} catch (error) {
  tell({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}

/**
 * What the seed has left to be vacuumed and written: autovacuum would begin a minute after the start, which for one side is
 * in the middle of a run and for the other is not.
 */
async function settle(databaseUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  try {
    await admin.query('vacuum (analyze)');
    await admin.query('checkpoint');
  } finally {
    await admin.end();
  }
}

function tell(message: FromSide): void {
  process.send?.(message);
}
