import pg from 'pg';
import { askRecovery } from '../../../scripts/restore/recovery.ts';
import type { Shop } from './shop.ts';

/** Restored on another port, and asked how far the log could be read. */
export async function backupIsGood(shop: Shop): Promise<boolean> {
  const lastSegment = shop.lastArchivedFile();
  const restored = await shop.restore('drill');
  const client = new pg.Client({ connectionString: restored.adminUrl });
  await client.connect();
  try {
    return (await askRecovery(client, { lastSegment }, true)).gap === undefined;
  } finally {
    await client.end();
    await restored.stop();
  }
}
