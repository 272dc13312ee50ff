import { sql } from 'kysely';
import { prepareQuery } from '../../db/prepared-statements.ts';
import type { Db } from '../../db/schema.ts';
import { SEARCH_WALK_ROWS_MAX } from './limits.ts';
import { type EmployeeRow, employeeColumns, employeesWithTeam, toEmployee } from './queries.ts';

/** Where the next page of a search starts: the text that matched, and the employee's id. */
export type FoundPlace = readonly [key: string, id: number];

/**
 * Employees whose name or address begins with `search` in any case, ordered by the text that matched, each person once.
 * PostgreSQL alone compares without regard to case: JavaScript's toLowerCase makes other letters of "İ" and of "Σ".
 * Two indexes are walked side by side, page by page from where the last page ended, so it costs the same whether "a"
 * matches half of the people or "zoë" matches none. A person who matches by both name and address is listed at
 * whichever sorts first.
 */
export async function employeesFound(
  db: Db,
  orgId: number,
  { search, teamId = 0 }: { search: string; teamId?: number | undefined },
  after: FoundPlace | undefined,
  rows: number,
) {
  const range = { orgId, teamId, search };
  const start = after ?? (['', 0] as const);
  const [names, addresses] = [walk(db, FOUND.byName, range, start, rows), walk(db, FOUND.byEmail, range, start, rows)];
  const found: FoundRow[] = [];
  let [name, address] = await Promise.all([names.next(), addresses.next()]);
  while (found.length < rows && !(name.done && address.done)) {
    if (address.done || (!name.done && isBefore(name.value, address.value))) {
      const { value } = name as IteratorYieldResult<FoundRow>;
      if (!standsBefore(value.email, value)) found.push(value);
      name = await names.next();
    } else {
      const { value } = address;
      // Name and address are the same text: the name has already listed this person.
      if (value.name_lower !== value.key && !standsBefore(value.name_lower, value)) found.push(value);
      address = await addresses.next();
    }
  }
  return found.map((row) => ({ key: row.key, ...toEmployee(row) }));
}

interface Range {
  readonly orgId: number;
  /** 0: any. */
  readonly teamId: number;
  readonly search: string;
}

/** `prefix`: the search in lower case. */
type FoundRow = EmployeeRow & { readonly key: string; readonly name_lower: string; readonly prefix: string };
type FoundValues = Range &
  Readonly<Record<string, string | number>> & { afterKey: string; afterId: number; rows: number };

/**
 * All rows of one index. Each page is twice as large as the last, to get quickly past people who are listed elsewhere.
 */
async function* walk(
  db: Db,
  page: (db: Db, values: FoundValues) => Promise<FoundRow[]>,
  range: Range,
  start: FoundPlace,
  atFirst: number,
): AsyncGenerator<FoundRow, undefined> {
  let [afterKey, afterId] = start;
  for (let rows = atFirst; ; rows = Math.min(rows * 2, SEARCH_WALK_ROWS_MAX)) {
    const found = await page(db, { ...range, afterKey, afterId, rows });
    yield* found;
    if (found.length < rows) return;
    ({ key: afterKey, id: afterId } = found.at(-1) as FoundRow);
  }
}

/** Compares as PostgreSQL does in the collation "C": by code points, which in UTF-8 is by bytes. */
function compare(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isBefore(a: FoundRow, b: FoundRow): boolean {
  return (compare(a.key, b.key) || a.id - b.id) < 0;
}

function standsBefore(other: string, { key, prefix }: FoundRow): boolean {
  return other.startsWith(prefix) && compare(other, key) < 0;
}

const FOUND = {
  byName: prepareQuery((db, values: FoundValues) => foundPage(db, 'name_lower', values)),
  byEmail: prepareQuery((db, values: FoundValues) => foundPage(db, 'email', values)),
};

function foundPage(db: Db, column: 'name_lower' | 'email', values: FoundValues) {
  const { orgId, teamId, search, afterKey, afterId, rows } = values;
  const key = sql.ref<string>(`employees.${column}`);
  const prefix = sql<string>`lower(${search}::text)`;
  return (
    employeesWithTeam(db, orgId)
      // The prefix as a range, up to the prefix plus the last code point: an index can serve it for any prefix.
      .where(key, '>=', sql<string>`greatest(${afterKey}::text collate "C", ${prefix})`)
      .where(key, '<', sql<string>`${prefix} || chr(1114111)`)
      .where(sql<boolean>`(${key}, employees.id) > (${afterKey}, ${afterId}::bigint)`)
      .where(sql<boolean>`(${teamId}::bigint = 0 or employees.team_id = ${teamId}::bigint)`)
      .select([key.as('key'), prefix.as('prefix'), 'employees.name_lower', ...employeeColumns])
      .orderBy(key)
      .orderBy('employees.id')
      .limit(rows)
  );
}
