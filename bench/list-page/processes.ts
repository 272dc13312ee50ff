/** Whose processors a list page takes: the program's threads, and the server's, which works for both contestants. */
import { cpuTimeOf, cpuTimeOfThreads } from '../cpu-time.ts';
import { descendants } from '../layout/process-tree.ts';
import type { Contestant } from './arrange.ts';
import { measure } from './measure.ts';

/** Microseconds per request, by what used them. */
export type ProcessorShares = ReadonlyMap<string, number>;

/** Of a contestant that is asked for some seconds; `server` is the PostgreSQL that it reads from. */
export async function processorShares(
  contestant: Contestant,
  server: number,
  seconds: number,
): Promise<ProcessorShares> {
  const before = usedMs(contestant.pid, server);
  const requests = (await measure(contestant, seconds)) * seconds;
  const after = usedMs(contestant.pid, server);
  return new Map([...after].map(([name, ms]) => [name, ((ms - (before.get(name) ?? 0)) * 1_000) / requests]));
}

function usedMs(pid: number, server: number): Map<string, number> {
  const { main, others } = cpuTimeOfThreads(pid);
  const backends = [server, ...descendants(server)].map(cpuTimeOf);
  return new Map([
    ['its main thread', main.userMs],
    ['the kernel for its main thread', main.kernelMs],
    ['its other threads (collecting garbage, compiling)', others.userMs + others.kernelMs],
    ['PostgreSQL', backends.reduce((sum, { userMs, kernelMs }) => sum + userMs + kernelMs, 0)],
  ]);
}
