/**
 * `npm run explain -- --scale=40`: seeds a database of that scale and shows how PostgreSQL plans every statement of
 * the queries.sql files (query-plans/snapshots.ts) on it, with real statistics and all planner methods enabled.
 *
 *   --scale=1|4|40       default 1; 40 takes minutes and about 5 GB of disk, which is freed afterwards
 *   --database-url=…     use an existing database instead (seeded, or a copy of the real one), as a superuser
 *
 * SCAN: a table of more than SMALL_TABLE_PAGES is scanned completely; if there is any, the exit code is 1.
 * wide: an index is used, but the number of rows it reads grows with the organisation (see query-plans/faults.ts).
 * Nothing is executed: the plans are generic, for any parameters.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { migrate, openMigrationDatabase } from '../src/db/migrate.ts';
import { choosePort } from './embedded/ports.ts';
import { createPrimary } from './embedded/postgres.ts';
import { chooseAccount, postgresHome } from './embedded/postgres-account.ts';
import { loadSecrets } from './embedded/secrets.ts';
import { composedStatements } from './query-plans/composed.ts';
import { faultsOf } from './query-plans/faults.ts';
import { nodesOf, type PlanNode, planOf, readCatalog } from './query-plans/plan.ts';
import { SMALL_GROUPS } from './query-plans/small-groups.ts';
import { recordedStatements } from './query-plans/snapshots.ts';
import { seed } from './seed.ts';

/** Up to this size a sequential scan is cheaper than an index, whatever the scale. */
const SMALL_TABLE_PAGES = 100;
const ROOT = path.resolve(import.meta.dirname, '..');

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, 'database-url': { type: 'string' } },
});
const url = values['database-url'];
process.exitCode = url === undefined ? await explainSeeded(Number(values.scale)) : await explain(url);

async function explainSeeded(scale: number): Promise<number> {
  mkdirSync(path.join(ROOT, '.tardigrade'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, '.tardigrade', 'explain-'));
  const port = await choosePort('primary', 'any');
  const primary = await createPrimary({ folder, secrets: loadSecrets(folder), durable: false, port });
  try {
    const db = openMigrationDatabase(primary.url);
    await migrate(db).finally(() => db.destroy());
    await seed(primary.adminUrl, { scale, onProgress: (text) => console.error(text) });
    return await explain(primary.adminUrl);
  } finally {
    await primary.stop();
    rmSync(realpathSync(postgresHome(folder, chooseAccount())), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function explain(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const catalog = await readCatalog(client, SMALL_GROUPS);
    const pages = await pagesOf(client);
    const statements = [...(await recordedStatements()), ...(await composedStatements())];
    let scans = 0;
    let plans = 0;
    for (const { sites, roles, sql } of statements) {
      for (const role of roles) {
        const plan = await planOf(client, sql, role);
        const nodes = nodesOf(plan);
        const isLarge = (table = '') => (pages.get(table) ?? 0) > SMALL_TABLE_PAGES;
        const scanned = nodes.some((node) => isScanOfAll(node) && isLarge(node['Relation Name']));
        const wide = faultsOf(sql, plan, catalog).filter(({ rule, table }) => rule === 'index-path' && isLarge(table));
        plans++;
        if (scanned) scans++;
        const verdict = scanned ? 'SCAN' : wide.length > 0 ? 'wide' : 'ok';
        const name = sites[0]?.replace(/^src\//, '') ?? '';
        console.log(`${verdict.padEnd(4)}  ${name.padEnd(56)} ${role.padEnd(6)}  ${accessesOf(nodes, pages)}`);
        for (const { text } of wide) console.log(`      ${text}`);
      }
    }
    const sizes = [...catalog.tables.keys()].map((table) => `${table} ${pages.get(table)}`).join(', ');
    console.log(`\nPages of 8 KB: ${sizes}`);
    console.log(
      `${statements.length} statements, ${plans} plans, ${scans} with a sequential scan of a table above ${SMALL_TABLE_PAGES} pages.`,
    );
    return scans === 0 ? 0 : 1;
  } finally {
    await client.end();
  }
}

function isScanOfAll(node: PlanNode): boolean {
  return node['Node Type'] === 'Seq Scan';
}

function accessesOf(nodes: PlanNode[], pages: ReadonlyMap<string, number>): string {
  const accesses = nodes.flatMap((node) => {
    if (node['Index Name'] !== undefined) return node['Index Name'];
    if (!isScanOfAll(node)) return [];
    return `all ${pages.get(node['Relation Name'] ?? '') ?? '?'} pages of ${node['Relation Name']}`;
  });
  return [...new Set(accesses)].join(', ') || '-';
}

async function pagesOf(client: Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; pages: number }>(`
    select relname as name, (pg_relation_size(oid) / 8192)::int as pages from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`);
  return new Map(rows.map(({ name, pages }) => [name, pages]));
}
