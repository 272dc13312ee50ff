/** Whose processors a list page takes: the program's threads, and the server's, which works for both contestants. */
import { type CpuTime, cpuTimeOf, cpuTimeOfThreads } from '../cpu-time.ts';
import { descendants } from '../layout/process-tree.ts';
import type { Contestant } from './arrange.ts';
import { measure } from './measure.ts';

/** Microseconds per request, by what used them. */
export type ProcessorShares = ReadonlyMap<string, number>;

export interface Asked {
  readonly perSecond: number;
  readonly shares: ProcessorShares;
}

/** A contestant that is asked for some seconds; `server` is the PostgreSQL that it reads from. */
export async function ask(contestant: Contestant, server: number, seconds: number): Promise<Asked> {
  const [threads, backends] = [cpuTimeOfThreads(contestant.pid), backendsMs(server)];
  const perSecond = await measure(contestant, seconds);
  const requests = perSecond * seconds;
  const { main, others } = cpuTimeOfThreads(contestant.pid);
  // One that has ended meanwhile was idle before.
  const serverMs = [...backendsMs(server)].reduce((sum, [pid, ms]) => sum + ms - (backends.get(pid) ?? 0), 0);
  const usPerRequest = (ms: number) => (ms * 1_000) / requests;
  const shares = new Map([
    ['its main thread', usPerRequest(main.userMs - threads.main.userMs)],
    ['the kernel for its main thread', usPerRequest(main.kernelMs - threads.main.kernelMs)],
    ['its other threads (collecting garbage, compiling)', usPerRequest(allOf(others) - allOf(threads.others))],
    ['PostgreSQL', usPerRequest(serverMs)],
  ]);
  return { perSecond, shares };
}

/** Microseconds of a processor per request. */
export function processorUs({ shares }: Asked): number {
  return shares.values().reduce((sum, us) => sum + us, 0);
}

function backendsMs(server: number): Map<number, number> {
  return new Map([server, ...descendants(server)].map((pid) => [pid, allOf(cpuTimeOf(pid))]));
}

function allOf({ userMs, kernelMs }: CpuTime): number {
  return userMs + kernelMs;
}
