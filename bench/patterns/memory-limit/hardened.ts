import { heapFlags, memoryLimit } from '../../../src/process/memory-limit.ts';

/** Tells V8 to collect its garbage well below the container's limit. */
export function commandLine(program: readonly string[]): string[] {
  return [...heapFlags(memoryLimit()), ...program];
}
