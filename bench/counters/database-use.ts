/** What a process has asked of the database so far, from its own /metrics. */
export interface DatabaseUse {
  readonly queries: number;
  readonly rows: number;
}

/** Primary and replica together: which of them answers depends on the moment, how often somebody is asked does not. */
export async function databaseUse(processUrl: string): Promise<DatabaseUse> {
  const text = await (await fetch(new URL('/metrics', processUrl))).text();
  return { queries: sumOf(text, 'queries'), rows: sumOf(text, 'rows') };
}

export function usedSince(before: DatabaseUse, after: DatabaseUse): DatabaseUse {
  return { queries: after.queries - before.queries, rows: after.rows - before.rows };
}

function sumOf(text: string, what: 'queries' | 'rows'): number {
  const found = [
    ...text.matchAll(new RegExp(`^tardigrade_${what}_(?:primary|replica)_total\\{[^}]*\\} (\\d+)$`, 'gm')),
  ];
  if (found.length === 0) throw new Error(`/metrics says nothing of ${what}: nothing could be counted`);
  return found.reduce((sum, [, value]) => sum + Number(value), 0);
}
