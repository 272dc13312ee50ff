import pLimit from 'p-limit';
import type { Receiver, Sender } from './case.ts';

/** One line at a time, in order; a line that fails is reported, and the next one is taken. */
export function createReceiver(store: (line: number) => Promise<void>, sender: Sender): Receiver {
  const inOrder = pLimit(1);
  return (line) =>
    void inOrder(() => store(line)).then(
      () => sender.stored(line),
      () => sender.refused(line),
    );
}
