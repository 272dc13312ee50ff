/** The memory that PostgreSQL's settings allow it in the worst case, against its box. */
import type { Finding } from './finding.ts';
import { CONNECTION_BYTES, SERVER_SHARE_MAX, SHARED_BUFFERS_SHARE_MAX, SMALL_BOX_BYTES } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';
import { showBytes, showShare } from './show.ts';

const check = 'server-memory';

type Settings = {
  connections: number;
  shared: number;
  work: number;
  vacuum: number;
  vacuums: number;
  jit: string;
  parallel: number;
};

export async function serverMemory(servers: Servers): Promise<Finding[]> {
  const findings = databases(servers).map(async (server) => {
    const settings = await settingsOf(server);
    return [
      worstMoment(server.name, settings, servers.memoryBytes),
      ...sharedBuffers(server.name, settings, servers.memoryBytes),
      ...smallBox(server.name, settings, servers.memoryBytes),
    ];
  });
  return (await Promise.all(findings)).flat();
}

async function settingsOf({ rows }: Server): Promise<Settings> {
  const [settings] = await rows<Settings>(`
    select current_setting('max_connections')::int as connections,
      pg_size_bytes(current_setting('shared_buffers')) as shared,
      pg_size_bytes(current_setting('work_mem')) as work,
      pg_size_bytes(coalesce(nullif(current_setting('autovacuum_work_mem'), '-1'),
        current_setting('maintenance_work_mem'))) as vacuum,
      current_setting('autovacuum_max_workers')::int as vacuums,
      current_setting('jit') as jit,
      current_setting('max_parallel_workers_per_gather')::int as parallel`);
  return settings as Settings;
}

function worstMoment(name: string, settings: Settings, memoryBytes: number): Finding {
  const { connections, shared, work, vacuum, vacuums } = settings;
  const bytes = shared + connections * (CONNECTION_BYTES + work) + vacuums * vacuum;
  const says =
    `${name}: shared_buffers ${showBytes(shared)} + ${connections} connections x ` +
    `(${showBytes(CONNECTION_BYTES)} + work_mem ${showBytes(work)}) + ${vacuums} autovacuum x ${showBytes(vacuum)} ` +
    `= ${showBytes(bytes)} of ${showBytes(memoryBytes)}`;
  if (bytes <= memoryBytes * SERVER_SHARE_MAX) return { check, level: 'ok', says };
  const advice = 'lower max_connections (small pools, PgBouncer), work_mem or autovacuum_max_workers';
  if (bytes <= memoryBytes) {
    return { check, level: 'advice', says, advice: `${advice}: in the worst case no memory is left to cache data in` };
  }
  return {
    check,
    level: 'danger',
    says,
    advice: `${advice}, or pass the size of the box with --memory: in the worst case the kernel kills it`,
  };
}

function sharedBuffers(name: string, { shared }: Settings, memoryBytes: number): Finding[] {
  if (shared <= memoryBytes * SHARED_BUFFERS_SHARE_MAX) return [];
  const says = `${name}: shared_buffers takes ${showShare(shared / memoryBytes)} of the box`;
  return [{ check, level: 'advice', says, advice: 'a quarter is usual: the page cache has the same pages again' }];
}

/**
 * With two cores and half a gigabyte there is neither the CPU nor the memory for JIT and parallel workers to pay off.
 */
function smallBox(name: string, { jit, parallel }: Settings, memoryBytes: number): Finding[] {
  if (memoryBytes > SMALL_BOX_BYTES) return [];
  const on = [...(jit === 'on' ? ['jit = off'] : []), ...(parallel > 0 ? ['max_parallel_workers_per_gather = 0'] : [])];
  const says = `${name}: jit ${jit}, ${parallel} parallel workers per query`;
  if (on.length === 0) return [{ check, level: 'ok', says }];
  const advice = `set ${on.join(' and ')}: on a small box they cost more memory and time than they save in short queries`;
  return [{ check, level: 'advice', says, advice }];
}
