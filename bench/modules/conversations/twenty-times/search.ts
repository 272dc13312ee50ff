/** How many users are held: doubled until it breaks (or halved until it holds), then the middle, by ratio. */
export interface Found {
  /** 0 when no level held. */
  readonly held: number;
  /** The lowest that did not hold; undefined when all did. */
  readonly notHeld: number | undefined;
}

export interface SearchOptions {
  readonly first: number;
  readonly max: number;
  /** Asked before each level after the first; narrowing: one level has held and one has not. */
  mayGoOn(levels: number, isNarrowing: boolean): boolean;
}

const CLOSE_ENOUGH = 1.15;

export async function searchHeld(holds: (users: number) => Promise<boolean>, options: SearchOptions): Promise<Found> {
  let held = 0;
  let notHeld: number | undefined;
  let next: number | undefined = Math.min(options.first, options.max);
  for (let levels = 1; next !== undefined; levels++) {
    if (await holds(next)) held = next;
    else notHeld = next;
    if (!options.mayGoOn(levels, held > 0 && notHeld !== undefined)) break;
    next = nextLevel(held, notHeld, options.max);
  }
  return { held, notHeld };
}

function nextLevel(held: number, notHeld: number | undefined, max: number): number | undefined {
  if (notHeld === undefined) return held < max ? Math.min(2 * held, max) : undefined;
  if (held === 0) return notHeld > 1 ? Math.floor(notHeld / 2) : undefined;
  const middle = twoDigits(Math.sqrt(held * notHeld));
  return notHeld / held > CLOSE_ENOUGH && middle > held && middle < notHeld ? middle : undefined;
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}
