/**
 * A new pattern is one new folder here and nothing else; the runner, the tests and the README's table find it there:
 *   schema.sql    the lesson's own tables, made in a database of its own; left out where there are none
 *   naive.ts      the mistake itself, as it is commonly made
 *   hardened.ts   exports the same function, with the technique that src/ ships: `diff naive.ts hardened.ts` is the lesson
 *   case.ts       exports `pattern`: arranges and measures, and defines broken and held
 */
export interface PatternCase<Twin, Input> {
  /** The technique's file, which hardened.ts must reach through its imports. */
  readonly shipped: string;
  /** For the README: the failure that the technique prevents, in one short sentence. */
  readonly withoutIt: string;
  /** The task of both twins, in one sentence. */
  readonly asks: string;
  /** The meaning of broken and of held, in words; `isBroken` and `isHeld` say the same in code. */
  readonly breaks: string;
  readonly holds: string;
  /** The one figure for the README, with its unit in words. */
  headline(figures: Figures): string;
  readonly needsReplica?: boolean;
  /** Default: BOX_BYTES. */
  readonly boxBytes?: number;
  /** Small enough for both to finish: their digests must be equal. */
  readonly small: Input;
  readonly full: Input;
  /** Fills the new, empty database before each run. */
  arrange?(servers: Servers, input: Input): Promise<void>;
  /** Runs inside the box, in a process of its own. */
  perform(twin: Twin, input: Input, servers: Servers): Promise<Measurement>;
  isBroken(naive: Outcome, hardened: Outcome): boolean;
  isHeld(hardened: Outcome): boolean;
}

export interface Servers {
  /** Owns the database; Row-Level Security does not bind it. */
  readonly databaseUrl: string;
  /** As the product's processes sign in, on the primary and on the replica; the latter is empty where there is none. */
  readonly workerDatabaseUrl: string;
  readonly workerReplicaUrl: string;
  /** The superuser, for settings of the server itself. The replica's is empty where there is none. */
  readonly databaseAdminUrl: string;
  readonly replicaAdminUrl: string;
  readonly redisUrl: string;
}

/** Units in the names. */
export type Figures = Readonly<Record<string, number>>;

export interface Measurement {
  /** Of everything that was produced: equal digests are equal results. */
  readonly digest: string;
  readonly figures: Figures;
}

export type Ending = 'finished' | 'OOM-killed' | 'heap exhausted' | 'too slow' | 'failed';

export interface Outcome extends Measurement {
  /** Unless it finished, the digest and the figures are empty. */
  readonly ending: Ending;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

export const BOX_BYTES = 512 * 1024 * 1024;
export const MB = 1024 * 1024;
