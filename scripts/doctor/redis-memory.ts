/**
 * Redis has the queues: when full it must refuse new jobs, never evict old ones. Uses only INFO, which every host
 * allows.
 */
import type { Finding } from './finding.ts';
import { REDIS_BOX_SHARE_MAX, REDIS_FULL_SHARE, REDIS_USED_SHARE_MAX } from './limits.ts';
import type { Servers } from './servers.ts';
import { showBytes, showShare } from './show.ts';

const check = 'redis-memory';

export async function redisMemory({ redis, unreachable, memoryBytes }: Servers): Promise<Finding[]> {
  if (unreachable.redis !== undefined) {
    return [
      {
        check,
        level: 'danger',
        says: unreachable.redis,
        advice: 'without Redis no mail is sent, and api and mailer cannot start',
      },
    ];
  }
  if (redis === undefined) {
    return [
      { check, level: 'advice', says: 'Redis was not looked at', advice: 'pass its address: --redis-url=redis://…' },
    ];
  }
  const info = { ...fields(await redis.info('memory')), ...fields(await redis.info('persistence')) };
  const maxBytes = Number(info['maxmemory']);
  return [
    policy(info['maxmemory_policy'] ?? '', maxBytes),
    ceiling(Number(info['used_memory']), maxBytes, memoryBytes),
    persistence(info),
  ];
}

function policy(name: string, maxBytes: number): Finding {
  const says = `maxmemory-policy ${name}`;
  if (name === 'noeviction') return { check, level: 'ok', says };
  const advice =
    'set it to noeviction (config set maxmemory-policy noeviction, and in the configuration file): with any other, BullMQ loses jobs';
  return maxBytes > 0
    ? { check, level: 'danger', says: `${says}: at ${showBytes(maxBytes)} it evicts jobs`, advice }
    : { check, level: 'advice', says: `${says}: nothing is evicted only because maxmemory is not set`, advice };
}

function ceiling(usedBytes: number, maxBytes: number, memoryBytes: number): Finding {
  if (maxBytes === 0) {
    const says = `${showBytes(usedBytes)} used, maxmemory is not set`;
    const advice = 'set it to less than half of the box: without it, a full Redis is killed by the kernel';
    return { check, level: 'advice', says, advice };
  }
  const says = `${showBytes(usedBytes)} used of maxmemory ${showBytes(maxBytes)} (${showShare(usedBytes / maxBytes)}) in a box of ${showBytes(memoryBytes)}`;
  if (maxBytes > memoryBytes) {
    return { check, level: 'danger', says, advice: 'lower maxmemory below the box, or the kernel kills Redis first' };
  }
  if (usedBytes > maxBytes * REDIS_FULL_SHARE) {
    return { check, level: 'danger', says, advice: 'full: jobs are refused. Find what fills it (redis-cli --bigkeys)' };
  }
  if (usedBytes > maxBytes * REDIS_USED_SHARE_MAX) {
    return { check, level: 'advice', says, advice: 'nearly full: find what fills it (redis-cli --bigkeys)' };
  }
  if (maxBytes > memoryBytes * REDIS_BOX_SHARE_MAX) {
    const advice = 'lower maxmemory: rewriting the append-only file forks, and a fork can need as much memory again';
    return { check, level: 'advice', says, advice };
  }
  return { check, level: 'ok', says };
}

function persistence(info: Record<string, string>): Finding {
  if (info['aof_last_write_status'] === 'err') {
    const says = 'the append-only file cannot be written: Redis refuses every write';
    return { check, level: 'danger', says, advice: 'free disk space for Redis; see its log for details' };
  }
  if (info['aof_enabled'] === '1') return { check, level: 'ok', says: 'appendonly is on: jobs survive a restart' };
  const advice = 'set appendonly yes: lost jobs make no progress until the sweep enqueues them again';
  return { check, level: 'advice', says: 'appendonly is off: a restart loses jobs', advice };
}

function fields(info: string): Record<string, string> {
  return Object.fromEntries(
    info
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => line.split(/:(.*)/s) as [string, string]),
  );
}
