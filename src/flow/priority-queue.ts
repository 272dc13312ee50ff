/**
 * Callers that wait for a place, in a line for each class: a place goes to the first class that has somebody, and there
 * to the one that has waited for longest. Each line has a bound, and nobody waits for longer than its class is worth: an
 * answer that comes too late is work for nothing.
 */
export interface PriorityQueue<Class extends string> {
  /**
   * Calls `go` when it is the caller's turn, `refuse` when it has waited for too long. False when the line is full: then
   * neither is called. The returned function takes the caller out.
   */
  join(of: Class, turn: Turn): (() => void) | false;
  /** Calls the next one. False when nobody waits. */
  next(): boolean;
  /** Whether a caller of the class could join. */
  hasRoom(of: Class): boolean;
  readonly waiting: number;
}

export interface Turn {
  go(): void;
  refuse(): void;
}

/** The classes in the order in which they are served: how many of each may wait, and for how long. */
export function createPriorityQueue<Class extends string>(
  waitingMax: Readonly<Record<Class, number>>,
  waitMs: Readonly<Record<Class, number>>,
): PriorityQueue<Class> {
  const lines = new Map(Object.keys(waitingMax).map((name) => [name as Class, new Set<() => void>()]));
  const hasRoom = (of: Class) => (lines.get(of)?.size ?? 0) < waitingMax[of];
  const waiting = () => [...lines.values()].reduce((sum, { size }) => sum + size, 0);
  return {
    join(of, { go, refuse }) {
      const line = lines.get(of) as Set<() => void>;
      if (!hasRoom(of)) return false;
      const timer = setTimeout(() => {
        leave();
        refuse();
      }, waitMs[of]);
      const called = () => {
        leave();
        go();
      };
      const leave = () => {
        clearTimeout(timer);
        line.delete(called);
      };
      line.add(called);
      return leave;
    },
    next() {
      for (const line of lines.values()) {
        const [first] = line;
        if (first === undefined) continue;
        first();
        return true;
      }
      return false;
    },
    hasRoom,
    get waiting() {
      return waiting();
    },
  };
}
