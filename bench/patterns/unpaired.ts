/** Patterns that have no lesson here yet: their rows in the README's table. */
export interface UnpairedPattern {
  readonly slug: string;
  readonly shipped: string;
  readonly withoutIt: string;
}

export const UNPAIRED: readonly UnpairedPattern[] = [
  {
    slug: 'load-shedding',
    shipped: 'src/http/load-shedding.ts',
    withoutIt: 'under overload every request times out',
  },
  {
    slug: 'rate-limit',
    shipped: 'src/http/rate-limit.ts',
    withoutIt: 'passwords can be brute-forced; one script hogs the API',
  },
  {
    slug: 'memory-limit',
    shipped: 'src/process/memory-limit.ts',
    withoutIt: 'V8 takes more memory than the container has, and the kernel kills the process',
  },
];
