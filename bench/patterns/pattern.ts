/** A pattern shown twice: `naive.ts` and `hardened.ts` export the same function, and their diff is the lesson. */
export interface PatternCase<Variant, Input> {
  readonly slug: string;
  /** What is asked of both, in one sentence. */
  readonly asks: string;
  /** What counts as broken, and as held, in words; `isBroken` and `isHeld` say the same in code. */
  readonly breaks: string;
  readonly holds: string;
  /** Real servers that stand outside the box. */
  readonly needs: readonly ('database' | 'replica' | 'mail')[];
  /** Fills the servers, once; it must be safe to run again. */
  prepare(servers: Servers): Promise<void>;
  /** Small enough for both to finish: their digests must be equal. */
  readonly small: Input;
  /** What it is about. */
  readonly full: Input;
  /** Runs inside the box, in a process of its own. */
  perform(variant: Variant, input: Input, servers: Servers): Promise<Performance>;
  isBroken(naive: Outcome, hardened: Outcome): boolean;
  isHeld(hardened: Outcome): boolean;
}

export interface Servers {
  /** The owner's of the tables, whom Row-Level Security does not bind. */
  readonly databaseUrl: string;
  /** As the product's processes sign in, on the primary and on the replica; the latter is empty for who does not need it. */
  readonly workerDatabaseUrl: string;
  readonly workerReplicaUrl: string;
  /** The superuser's: for what a pair changes on the server itself. The latter is empty for who does not need it. */
  readonly databaseAdminUrl: string;
  readonly replicaAdminUrl: string;
  readonly smtpUrl: string;
}

export interface Performance {
  /** Of everything that was produced: equal digests are equal results. */
  readonly digest: string;
  /** Units in the names. */
  readonly figures: Readonly<Record<string, number>>;
}

export type Ending = 'finished' | 'OOM-killed' | 'heap exhausted' | 'too slow' | 'failed';

export interface Outcome {
  readonly ending: Ending;
  /** Empty when it did not finish. */
  readonly figures: Readonly<Record<string, number>>;
  readonly digest: string;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

export const BOX_BYTES = 512 * 1024 * 1024;
export const MB = 1024 * 1024;
