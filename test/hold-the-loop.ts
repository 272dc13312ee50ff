/** Nothing else of this process runs meanwhile. */
export function holdTheLoop(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
