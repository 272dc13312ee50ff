/** Which processes were asked to stop, and so did not die: in PostgreSQL (src/db/asked-stops.ts). */
export interface AskedStops {
  /** `life`: of one process, and of no other one ever. */
  note(life: string): Promise<void>;
  /** Which of these were noted. */
  among(lives: readonly string[]): Promise<ReadonlySet<string>>;
}
