/**
 * What it is: V8's heap, sized from the container's limit instead of from V8's own guess.
 * What fails without it: below 512 MB V8 allows a heap of 256 MB or more, whatever the container's limit, and is killed
 *   instead of collecting; at 512 MB its young generation is so small that a third of the time is spent on scavenges.
 * How it works: `launch.ts` computes the flags and replaces itself (execve: same pid, no second process in memory) with
 *   Node running under these flags; `checkHeap` verifies them at start and logs the result.
 * What it costs: about 40 ms at start.
 * Its bound: HEAP_SHARE, SEMI_SPACE_MB, MEMORY_BYTES_MIN.
 * Its proof: test/process/memory-limit.test.ts, bench/patterns/memory-limit.
 */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { StartError } from '../errors.ts';
import {
  HEAP_SHARE,
  MEMORY_BYTES_MIN,
  NANO_BYTES,
  OLD_SPACE_MB_MIN,
  SEMI_SPACE_MB,
  SEMI_SPACE_SMALL_BELOW_BYTES,
  SEMI_SPACE_SMALL_MB,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { memoryLimitBytes } from './cgroup.ts';

const MB = 1024 * 1024;

export interface MemoryLimit {
  readonly bytes: number;
  /** `machine`: it is smaller than a nano. `assumed`: nothing limits this process, so it behaves as if in a nano. */
  readonly source: 'container' | 'machine' | 'assumed';
}

/** The limit that the kernel enforces on this process (cgroup v1 or v2); without one, the machine's or a nano's. */
export function memoryLimit(constrainedBytes = constrained(), machineBytes = totalmem()): MemoryLimit {
  // Without a limit the kernel reports 0 or a number far above the machine's memory.
  if (constrainedBytes > 0 && constrainedBytes < machineBytes) return { bytes: constrainedBytes, source: 'container' };
  return machineBytes < NANO_BYTES
    ? { bytes: machineBytes, source: 'machine' }
    : { bytes: NANO_BYTES, source: 'assumed' };
}

function constrained(): number {
  return Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, memoryLimitBytes());
}

/**
 * Flags for Node that keep the old space and three semi-spaces together well below the limit.
 *
 * The last one is about buffers, which are outside of the heap: V8 marks the whole heap after each 32 MB of them, however
 * much room there is, and 10 clients who sent 128 kB bodies made it do so five times a second. Now they count as the heap does.
 */
export function heapFlags(limit: MemoryLimit): string[] {
  const semiSpaceMb = limit.bytes < SEMI_SPACE_SMALL_BELOW_BYTES ? SEMI_SPACE_SMALL_MB : SEMI_SPACE_MB;
  const oldSpaceMb = Math.max(OLD_SPACE_MB_MIN, Math.floor((limit.bytes * HEAP_SHARE) / MB));
  return [
    `--max-old-space-size=${oldSpaceMb}`,
    `--max-semi-space-size=${semiSpaceMb}`,
    '--external-memory-accounted-in-global-limit',
  ];
}

/**
 * Variables for glibc's malloc, for what is outside of the heap: by default it keeps an arena for nearly every thread,
 * each with what was freed in it, and gives little of that back.
 */
export const MALLOC_VARIABLES = { MALLOC_ARENA_MAX: '2' };

/** Logs the sizes; throws StartError when the memory is too small, or when V8's heap could outgrow it. */
export function checkHeap(log: Log, limit = memoryLimit(), heapLimitBytes = getHeapStatistics().heap_size_limit): void {
  const sizes = {
    limitMb: Math.round(limit.bytes / MB),
    heapMb: Math.round(heapLimitBytes / MB),
    source: limit.source,
  };
  if (limit.bytes < MEMORY_BYTES_MIN)
    throw new StartError(
      `Tardigrade needs ${MEMORY_BYTES_MIN / MB} MB of memory for each process; this ${limit.source} has ${sizes.limitMb} MB.`,
    );
  if (heapLimitBytes < limit.bytes * 0.75) {
    log.info(sizes, 'heap fits the memory limit');
  } else if (limit.source !== 'assumed') {
    throw new StartError(
      `V8 may grow to ${sizes.heapMb} MB in a ${limit.source} of ${sizes.limitMb} MB and would be killed. ` +
        `Start through the launcher (npm run start:<name>), or pass ${heapFlags(limit).join(' ')} to node.`,
    );
  } else {
    log.warn(sizes, 'heap is not sized for a nano: start through the launcher (npm run start:<name>)');
  }
}
