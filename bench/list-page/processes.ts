/** Whose processors a list page takes: the program's threads, and the server's, which works for both contestants. */
import { type CpuTime, cpuTimeOf, cpuTimeOfThreads } from '../cpu-time.ts';
import { descendants } from '../layout/process-tree.ts';
import type { Both, Contestant } from './arrange.ts';
import { measure } from './measure.ts';

/** Microseconds per request, by what used them. */
export type ProcessorShares = ReadonlyMap<string, number>;

export interface Asked {
  readonly perSecond: number;
  readonly shares: ProcessorShares;
}

/** The two of a pair, the one that `first` names first. */
export function turns(first: keyof Both): (keyof Both)[] {
  return first === 'product' ? ['product', 'bare'] : ['bare', 'product'];
}

/** What `work` says of each, the one that `first` names first. */
export async function inTurn<T>(first: keyof Both, work: (name: keyof Both) => Promise<T>): Promise<Both<T>> {
  const said: Partial<Both<T>> = {};
  for (const name of turns(first)) said[name] = await work(name);
  return said as Both<T>;
}

/** Each is asked twice, A B B A, so that what the machine does meanwhile falls on both. */
export async function askInTurns(both: Both, first: keyof Both, server: number, seconds: number): Promise<Both<Asked>> {
  const asked: Both<Asked[]> = { product: [], bare: [] };
  for (const name of [...turns(first), ...turns(first).toReversed()])
    asked[name].push(await ask(both[name], server, seconds));
  return { product: together(asked.product), bare: together(asked.bare) };
}

function together(asked: readonly Asked[]): Asked {
  const perSecond = asked.reduce((sum, one) => sum + one.perSecond, 0) / asked.length;
  return { perSecond, shares: mean(asked.map(({ shares }) => shares)) };
}

export function meansOf(pairs: readonly Both<ReadonlyMap<string, number>>[]): Both<ReadonlyMap<string, number>> {
  return { product: mean(pairs.map(({ product }) => product)), bare: mean(pairs.map(({ bare }) => bare)) };
}

/** By name; what one of them does not have counts as nothing. */
function mean(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const means = new Map<string, number>();
  for (const one of all) for (const [name, value] of one) means.set(name, (means.get(name) ?? 0) + value / all.length);
  return means;
}

/** A contestant that is asked for some seconds; `server` is the PostgreSQL that it reads from. */
async function ask(contestant: Contestant, server: number, seconds: number): Promise<Asked> {
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
