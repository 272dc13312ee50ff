/** The two that are compared, measured so that neither has more of the machine's good moments. */
import type { Contestant } from './arrange.ts';
import { addUp, type Load, loadOf } from './processes.ts';

export type Name = 'product' | 'bare';

export type PerContestant<T> = Readonly<Record<Name, T>>;

export function orderFrom(first: Name): readonly Name[] {
  return first === 'product' ? ['product', 'bare'] : ['bare', 'product'];
}

/** The results of `work`, called for `first` first. */
export async function forEachContestant<T>(first: Name, work: (name: Name) => Promise<T>): Promise<PerContestant<T>> {
  const results: Partial<Record<Name, T>> = {};
  for (const name of orderFrom(first)) results[name] = await work(name);
  return results as PerContestant<T>;
}

/** A B B A, so that a steady drift of the machine cancels out; `seconds` for each of the four. */
export async function measurePair(
  contestants: PerContestant<Contestant>,
  first: Name,
  server: number,
  seconds: number,
): Promise<PerContestant<Load>> {
  const loads: PerContestant<Load[]> = { product: [], bare: [] };
  for (const name of [...orderFrom(first), ...orderFrom(first).toReversed()])
    loads[name].push(await loadOf(contestants[name], server, seconds));
  return { product: addUp(loads.product), bare: addUp(loads.bare) };
}
