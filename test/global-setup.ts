import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { endChildrenAtExit } from '../scripts/embedded/child.ts';
import { startStack } from '../scripts/embedded/stack.ts';
import { TEMPLATE_MIGRATION } from '../scripts/template.ts';
import { migrate, openMigrationDatabase } from '../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The owner's. */
    databaseUrl: string;
    workerDatabaseUrl: string;
    workerReplicaUrl: string;
    databaseAdminUrl: string;
    replicaUrl: string;
    replicaAdminUrl: string;
    redisUrl: string;
    smtpUrl: string;
    mailUrl: string;
    template: string;
  }
}

const TEMPLATE = 'tardigrade_template';

/** One real PostgreSQL primary, streaming replica, Redis and mail catcher for all tests; gone when they end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-test-'));
  endChildrenAtExit(); // after a signal the runner is gone within a millisecond
  const stack = await startStack({ folder, durable: false, ports: 'any' });
  const { databaseUrl, databaseAdminUrl, databaseReplicaUrl, databaseReplicaAdminUrl, redisUrl, smtpUrl, urls } = stack;
  await createTemplate(databaseUrl);
  project.provide('databaseUrl', databaseUrl);
  project.provide('workerDatabaseUrl', stack.workerDatabaseUrl);
  project.provide('workerReplicaUrl', stack.workerDatabaseReplicaUrl ?? stack.workerDatabaseUrl);
  project.provide('databaseAdminUrl', databaseAdminUrl ?? databaseUrl);
  project.provide('replicaUrl', databaseReplicaUrl ?? databaseUrl);
  project.provide('replicaAdminUrl', databaseReplicaAdminUrl ?? databaseUrl);
  project.provide('redisUrl', redisUrl);
  project.provide('smtpUrl', smtpUrl ?? '');
  project.provide('mailUrl', urls.mail ?? '');
  project.provide('template', TEMPLATE);
  return async () => {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(project.config.env['QUERY_RECORD'] as string, { recursive: true, force: true });
  };
}

/** Migrated once, with the tables of the template's module; every test file gets a copy of it, which takes milliseconds. */
async function createTemplate(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  const url = new URL(databaseUrl);
  url.pathname = `/${TEMPLATE}`;
  const db = openMigrationDatabase(url.href);
  await migrate(db);
  await sql.raw(readFileSync(TEMPLATE_MIGRATION, 'utf8')).execute(db);
  await db.destroy();
}
