/**
 * `npm run seed -- --scale=1|4|40`: fills an empty, migrated database with ten organisations, the people who sign in for
 * them, and 90 days of what each module keeps (its seed.ts). Scale 1 is 30,000 rows in a module's main table; 4 and 40
 * have more, in the same ten organisations. A fraction (0.02) makes a small one for tests.
 *
 * The database is DATABASE_MIGRATE_URL or DATABASE_URL, or else that of the stack that runs in .tardigrade. Everybody knows
 * the password of those who sign in afterwards, so one that this machine's stack has not made itself must be marked as
 * staging (docs/staging.md). For another scale than the one that `npm start` seeds: npm run reset, npm start -- --no-seed,
 * npm run seed -- --scale=4.
 *
 * The same scale gives the same rows, on every machine and at every time: what looks like chance is a hash of row
 * numbers, and times are relative to `now`. Only the salt of the passwords is new each time.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import type { Db, Schema } from '../src/db/schema.ts';
import { SEED_LOGIN, seedOrganisations } from '../src/modules/accounts/seed.ts';
import type { Module } from '../src/modules/faces.ts';
import { MODULES } from '../src/modules.ts';
import { readStackFile } from './embedded/stack-file.ts';
import { waitForReplicas } from './seed/replica-lag.ts';
import { continueSequences } from './seed/sequences.ts';
import { settle } from './seed/settle.ts';
import { requireMarkAt } from './staging/mark.ts';

export { SEED_LOGIN };
export const SCALE_MAX = 40;

export interface SeedOptions {
  /** 1, 4, 40, or a fraction. */
  readonly scale: number;
  /** Where the 90 days end; default: now. */
  readonly now?: Date;
  readonly onProgress?: (text: string) => void;
  /** Whose rows; default: all modules. */
  readonly modules?: readonly Module[];
}

/** How many rows of each kind were written, by their names in camelCase. */
export type Seeded = Readonly<Record<string, number>>;

/**
 * Fills the database in one transaction: all of it or nothing. Throws, with what to do about it, when the database has
 * no tables or has organisations already. Whether it may be filled at all, its caller knows.
 */
export async function seed(databaseUrl: string, options: SeedOptions): Promise<Seeded> {
  const { scale, now = new Date(), onProgress = () => undefined, modules = MODULES } = options;
  if (!(scale > 0 && scale <= SCALE_MAX))
    throw new Error(`The scale is ${scale}; it must be above 0, up to ${SCALE_MAX}.`);
  const pool = new Pool({ connectionString: databaseUrl, application_name: 'tardigrade-seed', max: 1 });
  // A connection that breaks fails the statement under way; without this listener it would end the process first.
  pool.on('error', () => undefined);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    const seeded = await db
      .transaction()
      .execute((transaction) => fill(transaction, { scale, now, onProgress, modules }));
    onProgress('statistics');
    // With the visibility map as well, or the first autovacuum would write it in the middle of somebody's measurement.
    await vacuumAll(db);
    return seeded;
  } finally {
    await db.destroy();
  }
}

async function fill(db: Db, { scale, now, onProgress, modules }: Required<SeedOptions>): Promise<Seeded> {
  await settle(db);
  await refuseUnlessEmpty(db);
  const organisations = seedOrganisations(scale);
  let seeded: Seeded = {};
  for (const module of modules) {
    const face = await module.seed?.();
    const context = { db, organisations, now, onProgress, waitForReplicas: () => waitForReplicas(db) };
    if (face !== undefined) seeded = { ...seeded, ...(await face.seed(context)) };
  }
  await continueSequences(db);
  return seeded;
}

async function refuseUnlessEmpty(db: Db): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('organisations') is not null as there`.execute(db);
  if (!rows[0]?.there) throw new Error('The database has no tables: run the migrations first (npm start does).');
  const { rows: bound } = await sql<{ bound: boolean }>`select row_security_active('organisations') as bound`.execute(
    db,
  );
  if (bound[0]?.bound)
    throw new Error('The seed writes for all organisations: it needs a role that Row-Level Security does not bind.');
  // A second seed waits here, and then sees that it comes too late. Readers do not wait.
  await sql`lock table organisations in share row exclusive mode`.execute(db);
  const first = await db.selectFrom('organisations').select('name').orderBy('id').limit(1).executeTakeFirst();
  if (first === undefined) return;
  throw new Error(
    `The database has organisations already (${first.name}), and the seed adds to nothing. To begin afresh: stop the stack, npm run reset, npm start.`,
  );
}

/** With the statistics that the planner needs. */
export async function vacuumAll(db: Db): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(db);
  await sql`vacuum (analyze) ${sql.join(rows.map(({ name }) => sql.table(name)))}`.execute(db);
}

/** @throws in words when there is none, or when it is neither the stack's own nor marked */
async function databaseUrlOf(environment: NodeJS.ProcessEnv): Promise<string> {
  const stack = readStackFile(path.resolve(import.meta.dirname, '..', '.tardigrade'));
  const given = environment.DATABASE_MIGRATE_URL?.trim() || environment.DATABASE_URL?.trim();
  const url = given || stack?.databaseUrl;
  if (url === undefined)
    throw new Error('No stack is running: npm start (which seeds by itself), or set DATABASE_URL.');
  // A stack can also have been given its database.
  const isOwn = url === stack?.databaseUrl && stack.pids['primary'] !== undefined;
  if (!isOwn) await requireMarkAt(url);
  return url;
}

if (import.meta.main) {
  const begun = performance.now();
  const elapsed = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  try {
    const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
    const seeded = await seed(await databaseUrlOf(process.env), {
      scale: Number(values.scale),
      onProgress: (text) => console.log(`  ${elapsed().padStart(7)}  ${text}`),
    });
    const counts = Object.entries(seeded).map(([name, count]) => `${count.toLocaleString('en')} ${words(name)}`);
    console.log(`Seeded in ${elapsed()}: ${counts.join(', ')}.`);
    console.log(`Sign in as ${SEED_LOGIN.email} / ${SEED_LOGIN.password}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
