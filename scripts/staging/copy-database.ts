/**
 * What it is: the rows of a database in another one, with nothing in them that says who somebody is.
 * How it works: one snapshot of the original is read table by table, through expressions that make each text
 *   unrecognisable (plan.ts), and written in one transaction without triggers, whose counts are copied too.
 * Its bound: COPIED_ROWS in memory at a time. Its proof: test/scripts/staging-copy.test.ts, test/house/staging.test.ts.
 */
import { randomBytes } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Schema } from '../../src/db/schema.ts';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';
import { MODULES } from '../../src/modules.ts';
import { continueSequences } from '../seed/sequences.ts';
import { vacuumAll } from '../seed.ts';
import { COPIED_ROWS } from './limits.ts';
import { requireMark } from './mark.ts';
import { columnsOf, PASSWORD_HASH, planCopy, SALT, type TablePlan } from './plan.ts';
import { stagingRules } from './rules.ts';

export interface CopyOptions {
  /** Of a role that Row-Level Security does not bind; a replica's spares the primary. It is only read. */
  readonly from: string;
  /** The superuser's: migrated, empty and marked as staging. */
  readonly to: string;
  /** Everybody's in the copy. */
  readonly password: string;
  readonly modules?: typeof MODULES;
  readonly onProgress?: (text: string) => void;
}

/** Returns how many rows each table has got. All of it is written or nothing. */
export async function copyDatabase(options: CopyOptions): Promise<Record<string, number>> {
  const { from, to, password, modules = MODULES, onProgress = () => undefined } = options;
  const source = new pg.Client({ connectionString: from, application_name: 'tardigrade-staging' });
  const target = new pg.Client({ connectionString: to, application_name: 'tardigrade-staging' });
  for (const client of [source, target]) client.on('error', () => undefined); // the query in flight fails
  try {
    await Promise.all([source.connect(), target.connect()]);
    await requireMark(target);
    await openSnapshot(source, password);
    const plans = planCopy(await columnsOf(source), await stagingRules(modules));
    await refuseAnotherRelease(source, target);
    await target.query('begin');
    await target.query('set local session_replication_role = replica');
    const copied: Record<string, number> = {};
    for (const plan of plans) {
      copied[plan.table] = await copyTable(source, target, plan);
      onProgress(`${plan.table}: ${copied[plan.table]?.toLocaleString('en')} rows`);
    }
    await target.query('commit');
    await settle(to);
    return copied;
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
}

async function openSnapshot(source: pg.Client, password: string): Promise<void> {
  await source.query('begin transaction isolation level repeatable read read only');
  // An error instead of rows that are left out without a word.
  await source.query('set local row_security = off');
  await source.query('set local statement_timeout = 0');
  const settings = {
    [SALT]: randomBytes(32).toString('hex'),
    [PASSWORD_HASH]: await createPasswordHasher().hash(password),
  };
  for (const [name, value] of Object.entries(settings))
    await source.query('select set_config($1, $2, true)', [name, value]);
}

async function refuseAnotherRelease(source: pg.Client, target: pg.Client): Promise<void> {
  const shape = async (client: pg.Client) => (await columnsOf(client)).map((one) => Object.values(one).join(' '));
  const [there, here] = [await shape(source), await shape(target)];
  const differing = [...there.filter((one) => !here.includes(one)), ...here.filter((one) => !there.includes(one))];
  if (differing.length > 0)
    throw new Error(
      `The original is of another release, with other columns (${differing.slice(0, 3).join('; ')}): check that release out first.`,
    );
}

async function copyTable(source: pg.Client, target: pg.Client, { table, columns, select }: TablePlan): Promise<number> {
  const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const name = pg.escapeIdentifier(table);
  const insert = `
    insert into ${name} (${names}) overriding system value
    select ${names} from jsonb_populate_recordset(null::${name}, $1::jsonb)`;
  await source.query(
    `declare copied no scroll cursor for select to_jsonb(chosen)::text as row from (${select}) as chosen`,
  );
  let count = 0;
  for (;;) {
    const { rows } = await source.query<{ row: string }>(`fetch ${COPIED_ROWS} from copied`);
    if (rows.length === 0) break;
    await target.query(insert, [`[${rows.map(({ row }) => row).join(',')}]`]);
    count += rows.length;
  }
  await source.query('close copied');
  return count;
}

/** As after the seed: the next ids come after those that were copied, and the planner knows the tables. */
async function settle(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on('error', () => undefined);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    await continueSequences(db);
    await vacuumAll(db);
  } finally {
    await db.destroy();
  }
}
