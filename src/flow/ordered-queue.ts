/**
 * What it is: items are handled one at a time, in the order in which they came, and the first failure ends the queue.
 * What fails without it: after a message that failed, the next one is still handled, so what was written second is
 *   stored first: a database that restarted under answers sent ahead put each under the wrong question.
 * How it works: an item that cannot be handled drops everything behind it and closes the queue; the sender still has
 *   what was not acknowledged, and sends it again, in order. A fault of the item itself is handled by `handle`.
 * What it costs: an array per sender. Its bound: `waitingMax`, named in limits.ts; further items are not taken.
 * Its proof: test/flow/ordered-queue.test.ts.
 */
export interface OrderedQueue<T> {
  /** False when the item is not taken: the queue is full, finishing or ended. */
  add(item: T): boolean;
  /** Drops what waits. The item under way is completed. */
  end(): void;
  /** Takes no more; resolves when everything that was taken is handled or dropped. */
  finish(): Promise<void>;
  /** Without the item under way. */
  readonly waiting: number;
}

export interface OrderedQueueOptions<T> {
  readonly waitingMax: number;
  handle(item: T): Promise<void>;
  /** Called once, with the item that failed. Nothing behind it will be handled. */
  failed(error: unknown, item: T): void;
}

export function createOrderedQueue<T>({ waitingMax, handle, failed }: OrderedQueueOptions<T>): OrderedQueue<T> {
  const items: T[] = [];
  let isOpen = true;
  let underWay: Promise<void> | undefined;

  async function handleAll(): Promise<void> {
    for (let item = items.shift(); item !== undefined; item = items.shift()) {
      try {
        await handle(item);
      } catch (error) {
        end();
        failed(error, item);
      }
    }
    underWay = undefined;
  }

  function end(): void {
    isOpen = false;
    items.length = 0;
  }

  return {
    add(item) {
      if (!isOpen || items.length >= waitingMax) return false;
      items.push(item);
      underWay ??= handleAll();
      return true;
    },
    end,
    async finish() {
      isOpen = false;
      await underWay;
    },
    get waiting() {
      return items.length;
    },
  };
}
