import type { Shop } from './shop.ts';

/** The backup is there, and archiving has never failed: what monitoring usually asks. */
export async function backupIsGood(shop: Shop): Promise<boolean> {
  const { rows } = await shop.admin.query<{ failed: number }>(
    'select failed_count::int as failed from pg_stat_archiver',
  );
  return shop.hasBackup() && rows[0]?.failed === 0;
}
