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

/** By sender, in the order of their turns. */
type Line = Map<string, Set<Waiter>>;

/** The classes in the order in which they are served: how many of each may wait, and for how long. */
export function createPriorityQueue<Class extends string>(
  waitingMax: Readonly<Record<Class, number>>,
  waitMs: Readonly<Record<Class, number>>,
): PriorityQueue<Class> {
  const lines = new Map(Object.keys(waitingMax).map((name) => [name as Class, new Map() as Line]));
  const lineOf = (of: Class) => lines.get(of) as Line;

  function take(line: Line, sender: string, waiter: Waiter): boolean {
    const own = line.get(sender);
    clearTimeout(waiter.timer);
    if (own?.delete(waiter) !== true) return false;
    if (own.size === 0) line.delete(sender);
    return true;
  }

  /** Of a line that is full: the sender with most in it, unless this one would then have as many. */
  function greedier(of: Class, sender: string): string | undefined {
    const line = lineOf(of);
    const [most, waiters] = [...line].reduce((a, b) => (b[1].size > a[1].size ? b : a));
    return waiters.size > (line.get(sender)?.size ?? 0) + 1 ? most : undefined;
  }

  const isFull = (of: Class) => countIn(lineOf(of)) >= waitingMax[of];
  return {
    join(of, sender, turn) {
      const line = lineOf(of);
      if (isFull(of)) {
        const most = greedier(of, sender);
        const newest = most === undefined ? undefined : [...(line.get(most) ?? [])].at(-1);
        if (most === undefined || newest === undefined) return false;
        take(line, most, newest);
        newest.turn.refuse();
      }
      const late = () => {
        take(line, sender, waiter);
        turn.refuse();
      };
      const waiter: Waiter = { turn, timer: setTimeout(late, waitMs[of]) };
      const own = line.get(sender) ?? new Set();
      line.set(sender, own.add(waiter));
      return () => void take(line, sender, waiter);
    },
    next() {
      for (const line of lines.values()) {
        const [sender, own] = line.entries().next().value ?? [];
        const [first] = own ?? [];
        if (sender === undefined || own === undefined || first === undefined) continue;
        take(line, sender, first);
        if (line.delete(sender)) line.set(sender, own); // behind the others
        first.turn.go();
        return true;
      }
      return false;
    },
    hasRoom: (of, sender) => !isFull(of) || greedier(of, sender) !== undefined,
    get waiting() {
      return [...lines.values()].reduce((sum, line) => sum + countIn(line), 0);
    },
  };
}

function countIn(line: Line): number {
  return [...line.values()].reduce((sum, { size }) => sum + size, 0);
}
