import { fetchFromApt } from './from-apt.ts';
import type { RedisProgram } from './redis.ts';

/** Redis of the Debian or Ubuntu archive, for a machine that has none. Throws with apt's last lines. */
export async function fetchRedisFromApt(): Promise<RedisProgram> {
  const { command, env } = await fetchFromApt({ package: 'redis-server', program: 'usr/bin/redis-server' });
  return { command, env };
}
