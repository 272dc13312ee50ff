import { fetchFromApt } from './from-apt.ts';

export type RedisProgram = { command: string; env?: NodeJS.ProcessEnv };

/** Redis from the Debian or Ubuntu archive, for a machine that has none. Throws with apt's last lines of output. */
export async function fetchRedisFromApt(): Promise<RedisProgram> {
  const { command, env } = await fetchFromApt({ package: 'redis-server', program: 'usr/bin/redis-server' });
  return { command, env };
}
