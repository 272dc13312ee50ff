/** What is read of each table, in SQL: a text is made unrecognisable by the server that has it, and never leaves that. */
import pg from 'pg';
import type { StagingRule, StagingRules } from '../../src/modules/faces.ts';

export interface Column {
  readonly table: string;
  readonly column: string;
  /** As PostgreSQL calls it: `text`, `int8`. */
  readonly type: string;
}

export interface TablePlan {
  readonly table: string;
  readonly columns: readonly string[];
  readonly select: string;
}

/** Settings of the session that reads: the expressions below need them. */
export const SALT = 'staging.salt';
export const PASSWORD_HASH = 'staging.password_hash';

/** They say nothing about a person by themselves. Every other type needs a rule. */
const SAY_NOTHING = ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'bool', 'timestamptz', 'date'];

/** @throws with a line for every table and column that no rule is about, and for every rule that is about none */
export function planCopy(columns: readonly Column[], rules: StagingRules): TablePlan[] {
  const faults = faultsOf(columns, rules);
  if (faults.length > 0)
    throw new Error(
      `Nothing is copied, because the rules are not complete:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  return tablesOf(columns).flatMap((table) => {
    const rule = rules[table];
    if (rule === undefined || 'leftOut' in rule) return [];
    const copied = columns.filter((one) => one.table === table && rule.columns[one.column] !== 'dropped');
    const select = copied.map(({ column }) => `${expression(column, rule.columns[column])} as ${id(column)}`);
    return [
      { table, columns: copied.map(({ column }) => column), select: `select ${select.join(', ')} from ${id(table)}` },
    ];
  });
}

export function faultsOf(columns: readonly Column[], rules: StagingRules): string[] {
  const has = (table: string, column: string) => columns.some((one) => one.table === table && one.column === column);
  const unruled = columns.filter(({ table, column, type }) => {
    const rule = rules[table];
    return rule !== undefined && 'columns' in rule && rule.columns[column] === undefined && !SAY_NOTHING.includes(type);
  });
  const stale = Object.entries(rules).flatMap(([table, rule]) =>
    Object.keys('columns' in rule ? rule.columns : {})
      .filter((column) => !has(table, column))
      .map((column) => `${table}.${column}`),
  );
  const tables = tablesOf(columns);
  return [
    ...tables
      .filter((table) => rules[table] === undefined)
      .map((table) => `${table} has no rule: say in src/modules/<noun>/staging.ts what becomes of it`),
    ...unruled.map(
      ({ table, column, type }) =>
        `${table}.${column} (${type}) has no rule: say in staging.ts of its module what becomes of it`,
    ),
    ...Object.keys(rules)
      .filter((table) => !tables.includes(table))
      .map((table) => `there is a rule for ${table}, and no such table`),
    ...stale.map((name) => `there is a rule for ${name}, and no such column`),
  ];
}

/** All that can be written: a generated column follows from the others. */
export async function columnsOf(client: pg.ClientBase): Promise<Column[]> {
  const { rows } = await client.query<Column>(`
    select relname as table, attname as column, typname as type
    from pg_attribute join pg_class c on c.oid = attrelid join pg_type t on t.oid = atttypid
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and attnum > 0 and not attisdropped and attgenerated = ''
    order by relname, attnum`);
  return rows;
}

/** Null stays null in all of them. */
function expression(column: string, rule: StagingRule = 'kept'): string {
  const value = id(column);
  if (typeof rule === 'object') return blankedTexts(value, rule.blanked);
  switch (rule) {
    case 'name':
      return `initcap(substr(${hashOf(value)}, 1, 6)) || ' ' || initcap(substr(${hashOf(value)}, 7, 8))`;
    case 'address':
      // Those of one domain stay together: mails are paced by domain.
      return `substr(${hashOf(value)}, 1, 20) || '@' || substr(${hashOf(`split_part(${value}, '@', 2)`)}, 1, 8) || '.staging.test'`;
    case 'blanked':
      return blanked(value);
    case 'password':
      return `current_setting('${PASSWORD_HASH}')`;
    default:
      return value;
  }
}

/** Nobody knows the salt afterwards, so no list of likely names leads back. */
function hashOf(value: string): string {
  return `encode(sha256(convert_to(current_setting('${SALT}') || ${value}, 'UTF8')), 'hex')`;
}

function blanked(value: string): string {
  return `regexp_replace(${value}, '[^[:space:][:punct:]]', 'x', 'g')`;
}

function blankedTexts(value: string, names: readonly string[]): string {
  const texts = names.map((name) => `${pg.escapeLiteral(name)}, ${blanked(`one ->> ${pg.escapeLiteral(name)}`)}`);
  return `(select case when ${value} is null then null else coalesce(jsonb_agg(one || jsonb_build_object(${texts.join(', ')}) order by nth), '[]') end
    from jsonb_array_elements(${value}) with ordinality as list (one, nth))`;
}

function tablesOf(columns: readonly Column[]): string[] {
  return [...new Set(columns.map(({ table }) => table))];
}

function id(name: string): string {
  return pg.escapeIdentifier(name);
}
