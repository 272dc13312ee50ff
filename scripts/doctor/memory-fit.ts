/** Do the data and its indexes fit into memory, and do queries find them there? */
import { type Finding, listed } from './finding.ts';
import { CACHE_SHARE, HIT_PAGES_MIN, HIT_SHARE_MIN, LIST_ROWS } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';
import { showBytes, showCount, showShare } from './show.ts';

const check = 'memory-fit';

export async function memoryFit(servers: Servers): Promise<Finding[]> {
  const findings = [await size(servers)];
  for (const server of databases(servers)) {
    findings.push(await hitShare(server), await plannerHint(server, servers.memoryBytes));
  }
  return findings;
}

async function size({ primary, memoryBytes }: Servers): Promise<Finding> {
  const [database] = await primary.rows<{ bytes: number }>('select pg_database_size(current_database()) as bytes');
  const tables = await primary.rows<{ name: string; bytes: number; indexBytes: number }>(
    `select relid::regclass::text as name, pg_total_relation_size(relid) as bytes, pg_indexes_size(relid) as "indexBytes"
     from pg_stat_user_tables order by bytes desc limit $1`,
    [LIST_ROWS],
  );
  const bytes = database?.bytes ?? 0;
  const room = memoryBytes * CACHE_SHARE;
  const largest = tables.map(
    (table) => `${table.name} ${showBytes(table.bytes)} (${showBytes(table.indexBytes)} indexes)`,
  );
  const says =
    `data with indexes ${showBytes(bytes)}, of ${showBytes(memoryBytes)} about ${showBytes(room)} can cache it; ` +
    `largest: ${listed(largest, LIST_ROWS) || 'no tables'}`;
  if (bytes <= room) return { check, level: 'ok', says };
  const advice =
    'this does not fit into memory: make sure that the data read daily does (retention, narrower indexes, unused-indexes), or give the database a larger box';
  return { check, level: 'advice', says, advice };
}

async function hitShare({ name, rows }: Server): Promise<Finding> {
  const [pages] = await rows<{ hit: number; read: number }>(
    'select blks_hit as hit, blks_read as read from pg_stat_database where datname = current_database()',
  );
  const { hit, read } = pages ?? { hit: 0, read: 0 };
  if (hit + read < HIT_PAGES_MIN) {
    return {
      check,
      level: 'ok',
      says: `${name}: ${showCount(hit + read)} pages read so far, too few to judge its cache`,
    };
  }
  const share = hit / (hit + read);
  const says = `${name}: ${showShare(share)} of ${showCount(hit + read)} pages came from shared_buffers`;
  if (share >= HIT_SHARE_MIN) return { check, level: 'ok', says };
  const advice =
    'check scanned-tables first; if the box has room, raise shared_buffers (the rest may still come from the page cache, which PostgreSQL does not count)';
  return { check, level: 'advice', says, advice };
}

async function plannerHint({ name, rows }: Server, memoryBytes: number): Promise<Finding> {
  const [cache] = await rows<{ bytes: number }>(
    "select pg_size_bytes(current_setting('effective_cache_size')) as bytes",
  );
  const says = `${name}: effective_cache_size ${showBytes(cache?.bytes ?? 0)} in a box of ${showBytes(memoryBytes)}`;
  if ((cache?.bytes ?? 0) <= memoryBytes) return { check, level: 'ok', says };
  const advice = `set it to the memory that is left for caching, about ${showBytes(memoryBytes * CACHE_SHARE)}: the planner counts on memory that does not exist`;
  return { check, level: 'advice', says, advice };
}
