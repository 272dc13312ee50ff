import { createOrderedQueue } from '../../../src/flow/ordered-queue.ts';
import type { Receiver, Sender } from './case.ts';

const WAITING_MAX = 64;

/** One line at a time, in order; the first that fails ends the queue, and the sender begins again from there. */
export function createReceiver(store: (line: number) => Promise<void>, sender: Sender): Receiver {
  const queue = createOrderedQueue<number>({
    waitingMax: WAITING_MAX,
    async handle(line) {
      await store(line);
      sender.stored(line);
    },
    failed: () => sender.hangUp(),
  });
  return (line) => void queue.add(line);
}
