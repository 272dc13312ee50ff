const RECONNECT_MS = 1_000;

/** A second later, as most clients do. */
export function returnMs(_clients: number, _attempt: number, _random: () => number): number {
  return RECONNECT_MS;
}
