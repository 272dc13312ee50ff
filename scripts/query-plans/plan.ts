/** PostgreSQL's plan for a statement, without parameters: the plan that must serve every organisation. */
import type { Client } from 'pg';
import type { SmallGroup } from './module-plans.ts';
import type { StatementRole } from './statements.ts';

/** What EXPLAIN (verbose, format json) says of one step; the parts that are looked at here. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Parent Relationship'?: string;
  readonly 'Subplan Name'?: string;
  readonly 'CTE Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
  readonly 'Join Filter'?: string;
  readonly 'Join Type'?: string;
  readonly 'Inner Unique'?: boolean;
  readonly Strategy?: string;
  readonly Plans?: readonly PlanNode[];
}

/** `owner` is not bound by Row-Level Security: what the statement itself says. */
export type PlanningRole = StatementRole | 'owner';

const ROLE_NAME = {
  tenant: 'tardigrade_tenant',
  system: 'tardigrade_system',
  login: 'tardigrade_worker',
} satisfies Record<StatementRole, string>;

/** As the planner chooses. `client` is a superuser's: it takes every role. Nothing is executed, nothing stays. */
export async function planOf(client: Client, sql: string, role: PlanningRole): Promise<PlanNode> {
  const [plan] = await plansOf(client, sql, role, [[]]);
  return plan as PlanNode;
}

/**
 * Different ways to do the same, none with a sequential scan where there is another way. On tables without rows all cost
 * the same, and which one the planner takes is chance; that there is a good one is not.
 */
export function waysOf(client: Client, sql: string, role: PlanningRole): Promise<PlanNode[]> {
  const loops = ['hashjoin', 'mergejoin', 'material'];
  return plansOf(client, sql, role, [
    ['seqscan', ...loops],
    ['seqscan', ...loops, 'bitmapscan'],
    ['seqscan', ...loops, 'sort'],
    ['seqscan', ...loops, 'bitmapscan', 'sort'],
  ]);
}

/**
 * The same where one row of each organisation is expected (pretendOneRowEach): whether the planner then compares or
 * hashes is decided by a hundredth of the cost, so it has to do without hashes.
 */
export async function planByLoops(client: Client, sql: string, role: PlanningRole): Promise<PlanNode> {
  const [plan] = await plansOf(client, sql, role, [['hashjoin', 'mergejoin']]);
  return plan as PlanNode;
}

/** One plan for each set of planner methods to do without. */
async function plansOf(client: Client, sql: string, role: PlanningRole, without: string[][]): Promise<PlanNode[]> {
  const plans: PlanNode[] = [];
  for (const methods of without) {
    await client.query('begin');
    try {
      await client.query(
        ["set local app.org = '1'", ...methods.map((method) => `set local enable_${method} = off`)].join('; '),
      );
      if (role !== 'owner') await client.query(`set local role ${ROLE_NAME[role]}`);
      const { rows } = await client.query(`explain (generic_plan, verbose, format json) ${withPrefixes(sql)}`);
      plans.push(rows[0]['QUERY PLAN'][0].Plan);
    } finally {
      await client.query('rollback');
    }
  }
  return plans;
}

/**
 * ^@ (starts with) uses an index only when the beginning is known; PostgreSQL sees it as long as that costs less than a
 * plan for all values, which here is always.
 */
function withPrefixes(sql: string): string {
  return sql.replace(/\^@ \$\d+/g, "^@ 'zebra'");
}

/** The node and all below it. */
export function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** What the database has, and what the product keeps small in it: read once, for all plans. */
export interface Catalog {
  /** Tables by their name in a plan; a partition by its own name, to the table that it is a part of. */
  readonly tables: ReadonlyMap<string, string>;
  readonly uniqueKeys: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Of a partial index: what all its rows fulfil. */
  readonly predicates: ReadonlyMap<string, string>;
  readonly smallGroups: readonly SmallGroup[];
}

/** Every table but the migrator's own counts as growing: a new one need not be entered anywhere. */
export async function readCatalog(client: Client, smallGroups: readonly SmallGroup[]): Promise<Catalog> {
  const { rows: tables } = await client.query<{ name: string; table: string }>(`
    select relname as name, coalesce(pg_partition_root(oid)::regclass, oid::regclass)::text as table from pg_class
    where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname not like 'kysely\\_%'`);
  const { rows: keys } = await client.query<{ table: string; columns: string[] }>(`
    select coalesce(pg_partition_root(indrelid)::regclass, indrelid::regclass)::text as table,
      array(select attname::text from pg_attribute where attrelid = indrelid and attnum = any (indkey)) as columns
    from pg_index join pg_class on oid = indrelid
    where indisunique and indexprs is null and relnamespace = 'public'::regnamespace`);
  const { rows: partial } = await client.query<{ index: string; predicate: string }>(`
    select indexrelid::regclass::text as index, pg_get_expr(indpred, indrelid) as predicate
    from pg_index where indpred is not null`);
  const uniqueKeys = new Map<string, string[][]>();
  for (const { table, columns } of keys) uniqueKeys.set(table, [...(uniqueKeys.get(table) ?? []), columns]);
  return {
    tables: new Map(tables.map(({ name, table }) => [name, table])),
    uniqueKeys,
    predicates: new Map(partial.map(({ index, predicate }) => [index, predicate])),
    smallGroups,
  };
}

/**
 * Lets the planner believe that tables without rows have some, and that only ids tell them apart, and what is unique
 * within an organisation, so that it prefers the index that leads to fewer of them. For a database that is thrown away.
 */
export function pretendRows(client: Client): Promise<void> {
  return pretendDistinct(
    client,
    `case when a.attname = 'id' or exists (
       select from pg_index
       join pg_attribute org on org.attrelid = c.oid and org.attname = 'org_id'
       where indrelid = c.oid and indisunique and indnatts = 2 and org.attnum = any (indkey) and a.attnum = any (indkey)
         and a.attname <> 'org_id'
     ) then -1 else 4 end`,
  );
}

/**
 * Lets the planner believe that every value is found in one row: it then expects one row of an organisation, as it does
 * when the statistics are older than the organisation's rows. For a database that is thrown away.
 */
export function pretendOneRowEach(client: Client): Promise<void> {
  return pretendDistinct(client, '-1');
}

async function pretendDistinct(client: Client, distinct: string): Promise<void> {
  await client.query(`
    select pg_restore_attribute_stats('schemaname', 'public', 'relname', relname::text, 'attname', attname::text,
      'inherited', relkind = 'p', 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', (${distinct})::real)
    from pg_attribute a join pg_class c on c.oid = attrelid
    where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped`);
}
