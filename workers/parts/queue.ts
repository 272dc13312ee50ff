import type { Queue } from 'bullmq';
import type { Process } from '../../src/process/run-process.ts';
import { openQueue } from '../../src/queue/queues.ts';
import { useRedis } from './resources.ts';

/** In a file of its own: whoever does not import it does not load BullMQ (10 MB), which only the mailer does. */
export async function useQueue(process: Process, name: string): Promise<Queue> {
  const redis = await useRedis(process);
  return process.open(
    `queue ${name}`,
    () => openQueue(name, redis),
    (queue) => queue.close(),
  );
}
