/**
 * What it is: concurrent callers that ask for the same thing share one answer.
 * What fails without it: a session that drops out of the cache, or a dashboard that a whole company opens at nine,
 *   sends the database the same query two hundred times at once.
 * How it works: the first caller's work is in flight under its key; callers that arrive meanwhile get the same promise.
 *   Nothing is kept afterwards: it is not a cache, and a finished answer is never reused.
 * What it costs: failures are shared too. Its bound: one entry per call in flight, REQUESTS_IN_FLIGHT_MAX.
 * Its proof: test/flow/single-flight.test.ts, bench/patterns/single-flight.
 */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

export function createSingleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, work) => {
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const flight = work().finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  };
}
