/** Whose processors a list page takes: the program's threads, and the server's, which works for both contestants. */
import { type CpuTime, cpuTimeOf, cpuTimeOfThreads } from '../cpu-time.ts';
import { descendants } from '../layout/process-tree.ts';
import { sum } from '../numbers.ts';
import type { Contestant } from './arrange.ts';
import { measure } from './measure.ts';

/** What was answered under load, and what it took. */
export interface Load {
  readonly answers: number;
  readonly seconds: number;
  /** Microseconds of a processor, by what used them. */
  readonly processorUs: ReadonlyMap<string, number>;
}

/** Puts `contestant` under load; `server` is the PostgreSQL that it reads from. */
export async function loadOf(contestant: Contestant, server: number, seconds: number): Promise<Load> {
  const [threads, backends] = [cpuTimeOfThreads(contestant.pid), backendsMs(server)];
  const measured = await measure(contestant, seconds);
  const { main, others } = cpuTimeOfThreads(contestant.pid);
  // One that has ended meanwhile was idle before.
  const serverMs = sum([...backendsMs(server)].map(([pid, ms]) => ms - (backends.get(pid) ?? 0)));
  const processorUs = new Map([
    ['its main thread', (main.userMs - threads.main.userMs) * 1_000],
    ['the kernel for its main thread', (main.kernelMs - threads.main.kernelMs) * 1_000],
    ['its other threads (collecting garbage, compiling)', (allOf(others) - allOf(threads.others)) * 1_000],
    ['PostgreSQL', serverMs * 1_000],
  ]);
  return { ...measured, processorUs };
}

export function addUp(loads: readonly Load[]): Load {
  return {
    answers: sum(loads.map(({ answers }) => answers)),
    seconds: sum(loads.map(({ seconds }) => seconds)),
    processorUs: addUpByName(loads.map(({ processorUs }) => processorUs)),
  };
}

export function addUpByName(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const one of all) for (const [name, value] of one) total.set(name, (total.get(name) ?? 0) + value);
  return total;
}

/** By the same names. */
export function perAnswer(total: ReadonlyMap<string, number>, answers: number): Map<string, number> {
  return new Map([...total].map(([name, value]) => [name, value / answers]));
}

function backendsMs(server: number): Map<number, number> {
  return new Map([server, ...descendants(server)].map((pid) => [pid, allOf(cpuTimeOf(pid))]));
}

function allOf({ userMs, kernelMs }: CpuTime): number {
  return userMs + kernelMs;
}
