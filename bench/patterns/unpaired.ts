/** Patterns that have no lesson here yet: their rows in the README's table. */
export interface UnpairedPattern {
  readonly slug: string;
  readonly shipped: string;
  readonly withoutIt: string;
}

export const UNPAIRED: readonly UnpairedPattern[] = [
  {
    slug: 'memory-limit',
    shipped: 'src/process/memory-limit.ts',
    withoutIt: 'V8 takes more memory than the container has, and the kernel kills the process',
  },
];
