/**
 * What it is: once a server has refused, further calls are refused here, and it is probed by one call at a time.
 * What fails without it: everybody keeps knocking at a server that is down or has closed our account for now, each
 *   waits for its own refusal, and when the server is back all of them arrive at once.
 * How it works: closed, calls pass. A failure opens it: calls are refused at once and told how long to wait. When the
 *   wait is over one call passes, the probe; the others are still refused. A probe that succeeds closes it, one that
 *   fails starts the next wait. The waits are a share of the time that it has been open, so a short outage is noticed
 *   soon and a long one costs few probes. Calls that began before it opened no longer change it.
 * What it costs: up to one wait after the server is back.
 * Its bound: `wait.min` and `wait.max`, named in limits.ts. Its proof: test/flow/circuit-breaker.test.ts,
 *   bench/patterns/circuit-breaker.
 */
export interface CircuitBreaker<F> {
  /** Either the call may be made, and its result must be reported, or it must not, because of an earlier `fault`. */
  enter(): Pass<F> | Refusal<F>;
  readonly isOpen: boolean;
}

export interface Pass<F> {
  readonly refused: false;
  succeeded(): void;
  /** Returns how long to wait before the next call. */
  failed(fault: F): number;
  /** The call was not made after all. Without effect once its result has been reported. */
  unused(): void;
}

export interface Refusal<F> {
  readonly refused: true;
  readonly fault: F;
  readonly againInMs: number;
}

export interface WaitRange {
  readonly min: number;
  readonly max: number;
  /** Of the time that it has been open. */
  readonly share: number;
  /** While a probe is under way; without it, `min`. */
  readonly probing?: number;
}

export function createCircuitBreaker<F>(
  waitFor: (fault: F) => WaitRange,
  { now, random }: { now: () => number; random: () => number } = { now: () => performance.now(), random: Math.random },
): CircuitBreaker<F> {
  let open: { readonly since: number; fault: F; until: number; probing: boolean } | undefined;

  function refuse(fault: F, since: number): number {
    const { min, max, share } = waitFor(fault);
    const waitMs = Math.min(max, Math.max(min, (now() - since) * share)) * (0.9 + random() * 0.2);
    open = { since, fault, until: now() + waitMs, probing: false };
    return waitMs;
  }

  function pass(probed: typeof open): Pass<F> {
    let reported = false;
    const isProbe = () => probed !== undefined && probed === open;
    return {
      refused: false,
      succeeded() {
        reported = true;
        if (isProbe()) open = undefined;
      },
      failed(fault) {
        reported = true;
        if (open === undefined) return refuse(fault, now());
        if (isProbe()) return refuse(fault, open.since);
        return Math.max(0, open.until - now());
      },
      unused() {
        if (!reported && probed !== undefined && probed === open) probed.probing = false;
      },
    };
  }

  return {
    enter() {
      if (open === undefined) return pass(undefined);
      const leftMs = open.until - now();
      if (leftMs > 0) return { refused: true, fault: open.fault, againInMs: leftMs };
      if (open.probing) {
        const { min, probing = min } = waitFor(open.fault);
        return { refused: true, fault: open.fault, againInMs: probing };
      }
      open.probing = true;
      return pass(open);
    },
    get isOpen() {
      return open !== undefined;
    },
  };
}
