/**
 * What is wrong with a plan, whatever its parameters: how much it reads must not grow with the tables.
 *
 * Every way into a table must be one of these, or it is a fault:
 *   - all columns of a unique key are given: one row;
 *   - all columns of a small group are given (small-groups.ts): as many rows as the named limit allows;
 *   - a range with both ends, or the beginning of a text;
 *   - a LIMIT that stops the scan: nothing between them sorts, groups or hashes, and no condition discards rows on the
 *     way that the index has not looked at (else it reads until enough rows pass, which may be never).
 * And the rows that a statement answers or changes must be bounded by the same means, by an aggregate, or by a batch that
 * the caller hands in (unnest). OFFSET is refused, and a statement of one organisation must say so itself. A batch must not
 * be compared with a table row by row, also where the planner expects a single row of the organisation.
 *
 * What it cannot see: how wide a range or how high a LIMIT is, for both are parameters (the routes' schemas and limits.ts
 * bound them); how often a row is missing on the other side of a join, below a LIMIT; how many rows a text's first letter
 * finds; what a statement costs that is sent a thousand times (the bench counts statements per request); a statement that
 * no test issues. A small group is small because the product keeps it so, not PostgreSQL.
 */
import { conditionsOf, conjuncts } from './conditions.ts';
import { type Catalog, nodesOf, type PlanNode } from './plan.ts';
import type { Fault } from './rules.ts';

/** Those of the best of several ways to run it. */
export function fewestFaults(sql: string, plans: readonly PlanNode[], catalog: Catalog): Fault[] {
  const all = plans.map((plan) => faultsOf(sql, plan, catalog));
  return all.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

export function faultsOf(sql: string, plan: PlanNode, catalog: Catalog): Fault[] {
  const faults = unboundedScans(plan, catalog, false);
  if (!isBounded(plan, { catalog, root: plan })) {
    faults.push({ rule: 'bound', text: 'nothing bounds its rows: no LIMIT, no whole key, no aggregate, no batch' });
  }
  if (/\boffset\b/i.test(sql.replace(/'(?:[^']|'')*'/g, ''))) {
    faults.push({ rule: 'offset', text: 'OFFSET reads all rows that it skips; see keyset-pagination' });
  }
  return distinct(faults);
}

/** `stopped`: a LIMIT above ends this node as soon as it has enough rows. */
function unboundedScans(node: PlanNode, catalog: Catalog, stopped: boolean): Fault[] {
  const below = (node.Plans ?? []).flatMap((child) => unboundedScans(child, catalog, stopsBelow(node, child, stopped)));
  const table = tableOf(node, catalog);
  if (table === undefined) return below;
  const wrong = whatIsWrong(node, table, catalog, stopped);
  return wrong === undefined ? below : [...below, { rule: 'index-path', table, text: wrong }];
}

/** Whether a LIMIT still ends `child`, of `node`, early. */
function stopsBelow(node: PlanNode, child: PlanNode, stopped: boolean): boolean {
  const relationship = child['Parent Relationship'];
  if (relationship === 'InitPlan' || relationship === 'SubPlan') return false;
  switch (node['Node Type']) {
    case 'Limit':
      return true;
    case 'Nested Loop':
    case 'Hash Join':
      return stopped && relationship === 'Outer';
    case 'Merge Join':
    case 'Append':
    case 'Merge Append':
    case 'Subquery Scan':
    case 'LockRows':
    case 'Result':
    case 'ProjectSet':
    case 'Unique':
      return stopped;
    default:
      return false; // Sort, Aggregate, Hash and the like take all rows before they give the first; so does a write
  }
}

function whatIsWrong(node: PlanNode, table: string, catalog: Catalog, stopped: boolean): string | undefined {
  const type = node['Node Type'];
  if (type === 'Seq Scan' || type === 'Sample Scan') {
    if (stopped && node.Filter === undefined) return undefined;
    return `no index leads to the rows of ${table}${where(node.Filter)}`;
  }
  if (type === 'Bitmap Heap Scan') {
    return bitmapFinds(node.Plans?.[0], table, catalog)
      ? undefined
      : `a bitmap of ${table} marks rows without a bound${where(allConditions(node))}`;
  }
  if (isFew(node, table, catalog)) return undefined;
  if (!stopped) return `reads all rows of ${table}${where(node['Index Cond'])}`;
  // Where rows are locked, PostgreSQL looks again at what a partial index has looked at.
  const looked = conjuncts(catalog.predicates.get(node['Index Name'] ?? ''));
  const discards = conjuncts(node.Filter).filter(
    (term) => !isOrganisation(term, table) && !looked.includes(term.replace(/^\w+\./, '')),
  );
  if (discards.length === 0) return undefined;
  return `reads rows of ${table}${where(node['Index Cond'])} until enough pass (${discards.join(' AND ')})`;
}

function bitmapFinds(node: PlanNode | undefined, table: string, catalog: Catalog): boolean {
  const children = node?.Plans ?? [];
  if (node?.['Node Type'] === 'BitmapAnd') return children.some((child) => bitmapFinds(child, table, catalog));
  if (node?.['Node Type'] === 'BitmapOr') return children.every((child) => bitmapFinds(child, table, catalog));
  return node !== undefined && isFew(node, table, catalog);
}

function isFew(node: PlanNode, table: string, catalog: Catalog): boolean {
  return conditionsOf(node['Index Cond']).between.size > 0 || isWholeKeyOrGroup(node, table, catalog);
}

function isWholeKeyOrGroup(node: PlanNode, table: string, catalog: Catalog): boolean {
  const { equal } = conditionsOf(node['Index Cond']);
  const groups = catalog.smallGroups.filter((group) => group.table === table).map(({ columns }) => columns);
  return [...(catalog.uniqueKeys.get(table) ?? []), ...groups].some((key) => key.every((column) => equal.has(column)));
}

type Context = { catalog: Catalog; root: PlanNode };

/** Whether something bounds the rows that come out of a node. */
function isBounded(node: PlanNode, context: Context): boolean {
  const children = (node.Plans ?? []).filter(
    (child) => !/^(?:InitPlan|SubPlan)$/.test(child['Parent Relationship'] ?? ''),
  );
  const [outer, inner] = children;
  switch (node['Node Type']) {
    case 'Limit':
    case 'Function Scan':
    case 'Values Scan':
      return true;
    case 'Aggregate':
      if (node.Strategy === 'Plain') return true;
      break;
    case 'CTE Scan':
      return nodesOf(context.root).some(
        (other) => other['Subplan Name'] === `CTE ${node['CTE Name']}` && isBounded(other, context),
      );
    case 'Nested Loop':
    case 'Hash Join':
    case 'Merge Join':
      if (outer === undefined || inner === undefined || !isBounded(outer, context)) return false;
      return (
        node['Inner Unique'] === true || /^(?:Semi|Anti)$/.test(node['Join Type'] ?? '') || isBounded(inner, context)
      );
  }
  const table = tableOf(node, context.catalog);
  if (table !== undefined) return isWholeKeyOrGroup(scanOf(node), table, context.catalog);
  return children.every((child) => isBounded(child, context));
}

/** Where the index condition stands. */
function scanOf(node: PlanNode): PlanNode {
  return node['Node Type'] === 'Bitmap Heap Scan' ? (node.Plans?.[0] ?? node) : node;
}

/**
 * For a statement of one organisation, planned as the owner, so that only what it says itself counts: Row-Level Security
 * would save it, but is the second wall, not the first.
 */
export function withoutOrganisation(bare: PlanNode, catalog: Catalog): Fault[] {
  const faults = nodesOf(bare).flatMap((node): Fault[] => {
    const table = tableOf(node, catalog);
    if (table === undefined || conditionsOf(allConditions(node), node.Filter).equal.has(organisationOf(table)))
      return [];
    return [{ rule: 'organisation', table, text: `does not say of which organisation the rows of ${table} are` }];
  });
  return distinct(faults);
}

/**
 * For a plan that was made where one row of each organisation is expected: the planner then joins by comparing, which is
 * quadratic when there are as many rows as the batch has.
 */
export function comparedBatches(plan: PlanNode, catalog: Catalog): Fault[] {
  const faults = nodesOf(plan).flatMap((node): Fault[] => {
    const compared = node['Node Type'] === 'Nested Loop' ? node['Join Filter'] : undefined;
    if (compared === undefined) return [];
    const sides = (node.Plans ?? []).map(nodesOf);
    const table = sides
      .flat()
      .map((one) => tableOf(one, catalog))
      .find((name) => name !== undefined);
    const isBatch = (nodes: PlanNode[]) => nodes.some((one) => BATCH.has(one['Node Type']));
    if (table === undefined || !sides.some(isBatch)) return [];
    return [{ rule: 'batch', table, text: `compares each row of a batch with rows of ${table} ${compared}` }];
  });
  return distinct(faults);
}

const BATCH = new Set(['Function Scan', 'Values Scan', 'CTE Scan']);

function distinct(faults: Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [`${fault.rule} ${fault.text}`, fault])).values()];
}

function allConditions(node: PlanNode): string {
  const conditions = nodesOf(node).flatMap((each) => each['Index Cond'] ?? []);
  return conditions.join(' AND ');
}

/** The table that a node reads; undefined also for one that it writes. */
function tableOf(node: PlanNode, catalog: Catalog): string | undefined {
  if (node['Node Type'] === 'ModifyTable' || node['Relation Name'] === undefined) return undefined;
  return catalog.tables.get(node['Relation Name']);
}

function organisationOf(table: string): string {
  return table === 'organisations' ? 'id' : 'org_id';
}

function isOrganisation(term: string, table: string): boolean {
  return new RegExp(`^(?:\\w+\\.)?${organisationOf(table)} = `).test(term);
}

function where(condition: string | undefined): string {
  return condition === undefined || condition === '' ? '' : ` where ${condition}`;
}
