/**
 * `npm run seed -- --scale=1|4|40`: fills an empty, migrated database with ten organisations, their people and 90 days
 * of check-ins. Scale 1 is 30,000 employees and about 300,000 messages; 4 and 40 have more of both, in the same ten
 * organisations. A fraction (0.02) makes a small one for tests.
 *
 * The database is DATABASE_MIGRATE_URL or DATABASE_URL, or else that of the stack that runs in .tardigrade. For another scale than the one that
 * `npm start` seeds: npm run reset, npm start -- --no-seed, npm run seed -- --scale=4.
 *
 * The same scale gives the same rows, whoever runs it and when: what looks like chance is a hash of row numbers, and
 * times are relative to `now`. Only the salt of the passwords is new each time.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import type { Db } from '../src/db/database.ts';
import type { Schema } from '../src/db/schema.ts';
import { readStackFile } from './embedded/stack-file.ts';
import { createAnswerTexts } from './seed/answer-texts.ts';
import { writeCheckIns } from './seed/check-ins.ts';
import { writeEmployees } from './seed/employees.ts';
import { OWNER_EMAIL, writeOrganisations } from './seed/organisations.ts';
import { waitForReplicas } from './seed/replica-lag.ts';
import { continueSequences, writeTotals } from './seed/totals.ts';

/** Everybody can read this password here; the other users of the seed (admin@…, viewer@…) have the same. */
export const SEED_LOGIN = { email: OWNER_EMAIL, password: 'tardigrade-owner' };
export const SCALE_MAX = 40;

export interface SeedOptions {
  /** 1, 4, 40, or a fraction. */
  readonly scale: number;
  /** Where the 90 days end; default: now. */
  readonly now?: Date;
  readonly onProgress?: (text: string) => void;
}

export interface Seeded {
  readonly organisations: number;
  readonly employees: number;
  readonly reachOuts: number;
  readonly conversations: number;
  readonly messages: number;
}

/**
 * Fills the database in one transaction: all of it or nothing. Throws, with what to do about it, when the database has
 * no tables or has organisations already.
 */
export async function seed(databaseUrl: string, options: SeedOptions): Promise<Seeded> {
  const { scale, now = new Date(), onProgress = () => undefined } = options;
  if (!(scale > 0 && scale <= SCALE_MAX))
    throw new Error(`The scale is ${scale}; it must be above 0, up to ${SCALE_MAX}.`);
  const pool = new Pool({ connectionString: databaseUrl, application_name: 'tardigrade-seed', max: 1 });
  // A connection that breaks fails the statement under way; without this listener it would end the process first.
  pool.on('error', () => undefined);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    const seeded = await db.transaction().execute((transaction) => fill(transaction, { scale, now, onProgress }));
    onProgress('statistics');
    // With the visibility map as well, or the first autovacuum would write it in the middle of somebody's measurement.
    await sql`vacuum (analyze) organisations, users, teams, employees, campaigns, campaign_progress, reach_outs,
      conversations, messages, mood_days`.execute(db);
    return seeded;
  } finally {
    await db.destroy();
  }
}

async function fill(db: Db, { scale, now, onProgress }: Required<SeedOptions>): Promise<Seeded> {
  await settle(db);
  await refuseUnlessEmpty(db);
  await createAnswerTexts(db);

  onProgress('organisations');
  const organisations = await writeOrganisations(db, { scale, now, password: SEED_LOGIN.password });
  onProgress('employees');
  for (const organisation of organisations) {
    await writeEmployees(db, organisation, now);
    await waitForReplicas(db);
  }
  // The statements that follow would be planned for empty tables.
  await sql`analyze teams, employees`.execute(db);

  const written = await writeCheckIns(db, organisations, { now, onProgress });
  onProgress('totals');
  await writeTotals(db);
  await continueSequences(db);
  const employees = organisations.reduce((sum, organisation) => sum + organisation.employees, 0);
  return { organisations: organisations.length, employees, ...written };
}

async function settle(db: Db): Promise<void> {
  // A role's own timeouts are meant for requests, and one process takes what many would share.
  await sql`set local statement_timeout = 0; set local work_mem = '16MB'; set local timezone = 'UTC'`.execute(db);
  // The planner takes what a CTE returns for a handful of rows, and joins thousands with thousands in nested loops.
  await sql`set local enable_nestloop = off`.execute(db);
  // Foreign keys hold by construction (the test looks), and need no check per row. Only a superuser may skip it.
  const { rows } = await sql<{ may: boolean }>`
    select has_parameter_privilege('session_replication_role', 'set') as may`.execute(db);
  if (rows[0]?.may) await sql`set local session_replication_role = replica`.execute(db);
  // Never random(): a number from 0 to 1 that depends on nothing but its key and what it is for.
  await sql`
    create function pg_temp.chance(key bigint, purpose text) returns double precision immutable parallel safe
    return (hashint8extended(key, hashtext(purpose)) & 4294967295)::double precision / 4294967296`.execute(db);
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

function databaseUrlOf(environment: NodeJS.ProcessEnv): string {
  const url =
    environment.DATABASE_MIGRATE_URL?.trim() ||
    environment.DATABASE_URL?.trim() ||
    readStackFile(path.resolve(import.meta.dirname, '..', '.tardigrade'))?.databaseUrl;
  if (url === undefined)
    throw new Error('No stack is running: npm start (which seeds by itself), or set DATABASE_URL.');
  return url;
}

if (import.meta.main) {
  const begun = performance.now();
  const elapsed = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  try {
    const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
    const seeded = await seed(databaseUrlOf(process.env), {
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
