/**
 * Callers that wait for a place, in a line for each class: a place goes to the first class that has somebody, and there
 * to each sender in turn, to the one that has waited for longest of its own. Each line has a bound; when it is full, the
 * newest of the sender who has most in it makes room for one who has less. Nobody waits for longer than its class is
 * worth: an answer that comes too late is work for nothing.
 */
export interface PriorityQueue<Class extends string> {
  /**
   * Calls `go` when it is the caller's turn, `refuse` when it has waited for too long, or had to make room. False when
   * there is no room: then neither is called. The returned function takes the caller out.
   */
  join(of: Class, sender: string, turn: Turn): (() => void) | false;
  /** Calls the next one. False when nobody waits. */
  next(): boolean;
  /** Whether a caller of the class could join. */
  hasRoom(of: Class, sender: string): boolean;
  readonly waiting: number;
}

export interface Turn {
  go(): void;
  refuse(): void;
}

interface Waiter {
  readonly turn: Turn;
  readonly timer: NodeJS.Timeout;
}

/** Those who wait in a class. Its size and the most that one sender has in it are kept: a refusal must not walk through it. */
interface Line {
  /** In the order of their turns. */
  readonly senders: Map<string, Set<Waiter>>;
  /** How many senders have 1, 2, 3… waiters in it. */
  readonly sendersWith: number[];
  size: number;
  /** How many the sender with most has. */
  most: number;
}

/** The classes in the order in which they are served: how many of each may wait, and for how long. */
export function createPriorityQueue<Class extends string>(
  waitingMax: Readonly<Record<Class, number>>,
  waitMs: Readonly<Record<Class, number>>,
): PriorityQueue<Class> {
  const lines = new Map(Object.keys(waitingMax).map((name) => [name as Class, createLine()]));
  const lineOf = (of: Class) => lines.get(of) as Line;
  const isFull = (of: Class) => lineOf(of).size >= waitingMax[of];

  return {
    join(of, sender, turn) {
      const line = lineOf(of);
      if (isFull(of)) {
        if (!isOutdone(line, sender)) return false;
        refuseNewestOfGreediest(line);
      }
      const late = () => {
        take(line, sender, waiter);
        turn.refuse();
      };
      const waiter: Waiter = { turn, timer: setTimeout(late, waitMs[of]) };
      add(line, sender, waiter);
      return () => void take(line, sender, waiter);
    },
    next() {
      for (const line of lines.values()) {
        const [sender, own] = line.senders.entries().next().value ?? [];
        const [first] = own ?? [];
        if (sender === undefined || own === undefined || first === undefined) continue;
        take(line, sender, first);
        if (line.senders.delete(sender)) line.senders.set(sender, own); // behind the others
        first.turn.go();
        return true;
      }
      return false;
    },
    hasRoom: (of, sender) => !isFull(of) || isOutdone(lineOf(of), sender),
    get waiting() {
      let sum = 0;
      for (const { size } of lines.values()) sum += size;
      return sum;
    },
  };
}

function createLine(): Line {
  return { senders: new Map(), sendersWith: [], size: 0, most: 0 };
}

/** Whether somebody has more in the line than this sender would have with one more. */
function isOutdone({ senders, most }: Line, sender: string): boolean {
  return most > (senders.get(sender)?.size ?? 0) + 1;
}

function refuseNewestOfGreediest(line: Line): void {
  for (const [sender, own] of line.senders) {
    if (own.size < line.most) continue;
    const newest = [...own].at(-1) as Waiter;
    take(line, sender, newest);
    newest.turn.refuse();
    return;
  }
}

function add(line: Line, sender: string, waiter: Waiter): void {
  const own = line.senders.get(sender) ?? new Set();
  line.senders.set(sender, own.add(waiter));
  recount(line, own.size - 1, own.size);
}

/** False when it was no longer in the line. */
function take(line: Line, sender: string, waiter: Waiter): boolean {
  clearTimeout(waiter.timer);
  const own = line.senders.get(sender);
  if (own?.delete(waiter) !== true) return false;
  if (own.size === 0) line.senders.delete(sender);
  recount(line, own.size + 1, own.size);
  return true;
}

/** A sender that had `before` in the line has `now`: one more, or one less. */
function recount(line: Line, before: number, now: number): void {
  line.size += now - before;
  line.sendersWith[before] = (line.sendersWith[before] ?? 0) - 1;
  line.sendersWith[now] = (line.sendersWith[now] ?? 0) + 1;
  if (now > line.most || line.sendersWith[line.most] === 0) line.most = now;
}
