/**
 * What it is: several callers who ask for the same thing at the same time share one answer.
 * What fails without it: a session that falls out of the cache, or a dashboard that a whole company opens at nine, asks
 *   the database the same question two hundred times at once.
 * How it works: the first caller's work is under way under its key; who comes meanwhile gets the same promise. Nothing is
 *   kept afterwards: it is no cache, and nobody gets an answer to a question that was asked before theirs.
 * What it costs: a failure is shared as well. Its bound: one entry per question under way, REQUESTS_IN_FLIGHT_MAX.
 * Its proof: test/flow/single-flight.test.ts.
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
