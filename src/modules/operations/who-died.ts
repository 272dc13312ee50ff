import { SERVING_PROCESSES } from '../../processes.ts';
import type { Death } from '../../redis/deaths.ts';
import { clock } from './clock.ts';

/** The label of the metrics of deaths: whose they are. */
export const DIED = 'died';

/** Those of which none died are 0: a series that is not there says nothing. */
export function countsByName(deaths: readonly Death[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(SERVING_PROCESSES.map((name) => [name, 0]));
  for (const { name } of deaths) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * `chat died 3 times since 2026-11-26 14:02 UTC, last as pid 12 on host-a; api died once, at …`: who died most comes first.
 * Undefined when nobody did. `how` is the verb.
 */
export function whoDied(deaths: readonly Death[], how: string): string | undefined {
  const byName = Object.entries(Object.groupBy(deaths, ({ name }) => name)).map(([name, own = []]) => ({ name, own }));
  if (byName.length === 0) return undefined;
  return byName
    .sort((a, b) => b.own.length - a.own.length)
    .map(({ name, own }) => `${name} ${how} ${howOften(own)}`)
    .join('; ');
}

function howOften(deaths: readonly Death[]): string {
  const [first, ...later] = deaths.toSorted((a, b) => a.at - b.at) as [Death, ...Death[]];
  const last = later.at(-1);
  if (last === undefined) return `once, at ${clock(first.at)}, ${as(first)}`;
  return `${deaths.length} times since ${clock(first.at)}, last ${as(last)}`;
}

function as({ pid, host }: Death): string {
  return pid === 0 ? `on ${host} before its first report` : `as pid ${pid} on ${host}`;
}
