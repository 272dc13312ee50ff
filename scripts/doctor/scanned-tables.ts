/** Tables that queries read from end to end, per server. */
import { type Finding, listed } from './finding.ts';
import { LIST_ROWS, SCANNED_ROWS_MIN, SCANS_MIN } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';
import { showCount } from './show.ts';

const check = 'scanned-tables';

export async function scannedTables(servers: Servers): Promise<Finding[]> {
  return Promise.all(databases(servers).map(scannedOn));
}

async function scannedOn({ name, rows }: Server): Promise<Finding> {
  const tables = await rows<{ name: string; scans: number; rowsPerScan: number; indexScans: number }>(
    `select relid::regclass::text as name, seq_scan as scans, seq_tup_read / seq_scan as "rowsPerScan",
      coalesce(idx_scan, 0) as "indexScans"
    from pg_stat_user_tables where seq_scan >= $1 and seq_tup_read >= seq_scan * $2
    order by seq_tup_read desc limit $3`,
    [SCANS_MIN, SCANNED_ROWS_MIN, LIST_ROWS],
  );
  if (tables.length === 0) {
    const says = `${name}: no table was read from end to end ${SCANS_MIN} times with ${showCount(SCANNED_ROWS_MIN)} rows or more`;
    return { check, level: 'ok', says };
  }
  const lines = tables.map(
    (table) =>
      `${table.name} ${showCount(table.scans)} times with ${showCount(table.rowsPerScan)} rows (${showCount(table.indexScans)} index scans)`,
  );
  const advice =
    'find the query (log_min_duration_statement, pg_stat_statements), run EXPLAIN on it, and add an index or a limit; dumps, and ANALYZE after an import, count too';
  return { check, level: 'advice', says: `${name} read from end to end: ${listed(lines, LIST_ROWS)}`, advice };
}
