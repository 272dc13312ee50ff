/** Leaves the size of the heap to V8, which does not know how much else is in the container. */
export function commandLine(program: readonly string[]): string[] {
  return [...program];
}
