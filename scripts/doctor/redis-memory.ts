/** Redis holds the queues: it must refuse what does not fit, never forget it. All from INFO, which every host allows. */
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
        advice: 'without it no mail is sent, and no api or mailer starts',
      },
    ];
  }
  if (redis === undefined) {
    return [{ check, level: 'advice', says: 'Redis was not looked at', advice: 'name it: --redis-url=redis://…' }];
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
    'config set maxmemory-policy noeviction, and in its configuration file: BullMQ loses jobs with any other';
  return maxBytes > 0
    ? { check, level: 'danger', says: `${says}: at ${showBytes(maxBytes)} it throws jobs away`, advice }
    : { check, level: 'advice', says: `${says}: nothing is evicted only because maxmemory is not set`, advice };
}

function ceiling(usedBytes: number, maxBytes: number, memoryBytes: number): Finding {
  if (maxBytes === 0) {
    const says = `${showBytes(usedBytes)} used, maxmemory is not set`;
    const advice = 'set it, to less than half of the box: without it the kernel, not Redis, says when it is full';
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
    const advice = 'lower maxmemory: rewriting the append-only file forks, and a fork may need up to as much again';
    return { check, level: 'advice', says, advice };
  }
  return { check, level: 'ok', says };
}

function persistence(info: Record<string, string>): Finding {
  if (info['aof_last_write_status'] === 'err') {
    const says = 'the append-only file cannot be written: Redis refuses every write';
    return { check, level: 'danger', says, advice: 'free the disk of Redis; its log says more' };
  }
  if (info['aof_enabled'] === '1') return { check, level: 'ok', says: 'appendonly is on: jobs survive a restart' };
  const advice = 'set appendonly yes: until the sweep finds them again, jobs that a restart forgets stand still';
  return { check, level: 'advice', says: 'appendonly is off: a restart forgets jobs', advice };
}

function fields(info: string): Record<string, string> {
  return Object.fromEntries(
    info
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => line.split(/:(.*)/s) as [string, string]),
  );
}
