/**
 * What it is: items are handled one at a time, in the order in which they came, and the first failure ends the queue.
 * What fails without it: after a message that failed, the next one is still handled, so what was written second is
 *   stored first: a database that restarted under answers sent ahead put each under the wrong question.
 * How it works: an item that cannot be handled drops everything behind it and closes the queue; the sender still has
 *   what was not acknowledged, and sends it again, in order. A fault of the item itself is handled by `handle`.
 * What it costs: an array per sender. Its bound: `waitingMax`, named in limits.ts; further items are not taken.
 * Its proof: test/flow/ordered-queue.test.ts, bench/patterns/ordered-queue.
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
  /** Nothing waits, and nothing is under way. */
  readonly isIdle: boolean;
}

export interface OrderedQueueOptions<T> {
  readonly waitingMax: number;
  handle(item: T): Promise<void>;
  /** Called once, with the item that failed. Nothing behind it will be handled. */
  failed(error: unknown, item: T): void;
}

export function createOrderedQueue<T>(options: OrderedQueueOptions<T>): OrderedQueue<T> {
  return new Queue(options);
}

/** A class, because there is one per client: closures would take a kilobyte each. */
class Queue<T> implements OrderedQueue<T> {
  private readonly options: OrderedQueueOptions<T>;
  private items: T[] = NONE;
  private isOpen = true;
  private underWay: Promise<void> | undefined;

  constructor(options: OrderedQueueOptions<T>) {
    this.options = options;
  }

  add(item: T): boolean {
    if (!this.isOpen || this.items.length >= this.options.waitingMax) return false;
    if (this.items === NONE) this.items = [item];
    else this.items.push(item);
    this.underWay ??= this.handleAll();
    return true;
  }

  end(): void {
    this.isOpen = false;
    this.items = NONE;
  }

  async finish(): Promise<void> {
    this.isOpen = false;
    await this.underWay;
  }

  get waiting(): number {
    return this.items.length;
  }

  get isIdle(): boolean {
    return this.underWay === undefined;
  }

  private async handleAll(): Promise<void> {
    for (let item = this.items.shift(); item !== undefined; item = this.items.shift()) {
      try {
        await this.options.handle(item);
      } catch (error) {
        this.end();
        this.options.failed(error, item);
      }
    }
    this.items = NONE;
    this.underWay = undefined;
  }
}

/** Shared by all queues in which nothing waits; never written to. */
const NONE: never[] = [];
