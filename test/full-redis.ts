import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../scripts/embedded/ports.ts';
import { createRedis } from '../scripts/embedded/redis.ts';

export interface SmallRedis {
  readonly url: string;
  /** Until it refuses to take more. */
  fill(): Promise<void>;
  /** Takes out again what `fill` has put in. */
  makeRoom(): Promise<void>;
  stop(): Promise<void>;
}

/** A server of its own with little memory; like every one of ours it evicts nothing. */
export async function startSmallRedis(): Promise<SmallRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-full-'));
  const server = await createRedis({ folder, port: await freePort(), password: 'full', durable: false });
  const redis = new Redis(server.url);
  await redis.config('SET', 'maxmemory', '8mb');
  return {
    url: server.url,
    async fill() {
      for (const bytes of [100_000, 10_000, 1_000, 100]) {
        const take = () => redis.rpush('ballast', 'x'.repeat(bytes)).catch(() => undefined);
        while ((await take()) !== undefined);
      }
    },
    async makeRoom() {
      await redis.del('ballast');
    },
    async stop() {
      redis.disconnect();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
