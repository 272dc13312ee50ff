/**
 * What it is: a number of places for what takes long and waits for its client (a file that arrives, one that is read),
 *   of which nobody has more than a share.
 * What fails without it: one customer who sends a kilobyte a second has all of them for ten minutes at a time, and
 *   everybody else is refused.
 * How it works: each key (an organisation, or a network while nobody is known) has at most `perKey` places. When none is
 *   left, the key that has most gives up the one that it has held for longest, to a key that has at least two fewer: so
 *   those who have as many as others do not push each other out. What `stays` gives nothing up, and with it what does not
 *   goes to any key that has fewer. With `pushes`, a newcomer always gets in: for what is
 *   quick, where the one that has taken longest is the one that is stuck.
 * What it costs: a pass through the places when all are taken.
 * Its bound: `places`, `perKey`, named in limits.ts. As many customers as there are shares can still fill them together.
 * Its proof: test/flow/fair-places.test.ts.
 */
export interface FairPlaces {
  /**
   * Takes a place. Returns what gives it back, which may be called twice; undefined when there is none for this key.
   * `giveUp` is called when somebody else gets the place: then end what is done in it. What `stays` when somebody asks
   * keeps its place.
   */
  enter(key: string, giveUp: () => void, stays?: () => boolean): (() => void) | undefined;
  readonly taken: number;
}

interface Place {
  readonly key: string;
  readonly giveUp: () => void;
  readonly stays: () => boolean;
  /** It could have stayed. */
  readonly isOptional: boolean;
}

export function createFairPlaces(limits: { places: number; perKey?: number; pushes?: true }): FairPlaces {
  const { places, perKey = places, pushes = false } = limits;
  /** In the order in which they were taken. */
  const taken = new Set<Place>();
  const takenBy = new Map<string, number>();
  const countOf = (key: string) => takenBy.get(key) ?? 0;

  function add(place: Place): void {
    taken.add(place);
    takenBy.set(place.key, countOf(place.key) + 1);
  }

  function remove(place: Place): void {
    if (!taken.delete(place)) return;
    const left = countOf(place.key) - 1;
    if (left === 0) takenBy.delete(place.key);
    else takenBy.set(place.key, left);
  }

  /** The one held for longest by a key that has most, of those that can be had. */
  function longestOfMost(): Place | undefined {
    const available = [...taken].filter(({ stays }) => !stays());
    const most = Math.max(...available.map(({ key }) => countOf(key)));
    return available.find(({ key }) => countOf(key) === most);
  }

  return {
    enter(key, giveUp, stays) {
      if (!pushes && countOf(key) >= perKey) return undefined;
      const place = { key, giveUp, stays: stays ?? (() => false), isOptional: stays !== undefined };
      if (pushes) add(place);
      if (taken.size > places || (!pushes && taken.size === places)) {
        const longest = longestOfMost();
        if (longest === undefined) return undefined;
        const fewer = longest.isOptional ? 1 : 2;
        if (!pushes && countOf(longest.key) < countOf(key) + fewer) return undefined;
        remove(longest);
        longest.giveUp();
      }
      if (!pushes) add(place);
      return () => remove(place);
    },
    get taken() {
      return taken.size;
    },
  };
}
