import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Finding } from '../../../scripts/doctor/finding.ts';
import { type Addresses, openServers, type Servers } from '../../../scripts/doctor/servers.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { createRedis } from '../../../scripts/embedded/redis.ts';
import { NANO_BYTES } from '../../../src/limits.ts';

export const ONE_OF_EACH = { api: 1, mailer: 1, chat: 1, all: 0 };

/** What one check finds there. */
export async function look(
  check: (servers: Servers) => Promise<Finding[]>,
  addresses: Partial<Addresses> & { databaseUrl: string },
  memoryBytes = NANO_BYTES,
): Promise<Finding[]> {
  const all = { databaseReplicaUrl: undefined, redisUrl: undefined, ...addresses };
  const servers = await openServers(all, { instances: ONE_OF_EACH, memoryBytes });
  try {
    return await check(servers);
  } finally {
    await servers.close();
  }
}

/** A Redis of the test's own, whose settings nobody else depends on. */
export async function ownRedis(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-doctor-'));
  const redis = await createRedis({ folder, port: await freePort(), password: 'doctor', durable: false });
  onTestFinished(async () => {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return redis.url;
}
