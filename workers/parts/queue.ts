import type { Queue } from 'bullmq';
import type { Process } from '../../src/process/run-process.ts';
import { openQueue } from '../../src/queue/queues.ts';
import type { MemoryWatch } from '../../src/redis/memory-watch.ts';
import { useRedis } from './resources.ts';

/** In a separate file, so that only the mailer, which imports it, loads BullMQ (10 MB). */
export async function useQueue(process: Process, name: string, memory?: MemoryWatch): Promise<Queue> {
  const redis = await useRedis(process, { needed: true });
  return process.open(
    `queue ${name}`,
    () => openQueue(name, redis, memory),
    (queue) => queue.close(),
  );
}
