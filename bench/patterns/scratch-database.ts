import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { sqlState } from '../../src/errors.ts';
import type { Servers } from './pattern.ts';

/**
 * Runs `work` with a new database that holds the tables of the lesson's schema.sql, and drops it afterwards, whatever a
 * killed process still does there. Each run has its own: nothing that one twin leaves behind is in the other's figures.
 */
export async function withScratchDatabase<T>(
  servers: Servers,
  slug: string,
  work: (servers: Servers) => Promise<T>,
): Promise<T> {
  const name = `pattern_${slug.replaceAll('-', '_')}_${randomBytes(4).toString('hex')}`;
  await runSql(servers.databaseAdminUrl, `create database ${name} owner ${new URL(servers.databaseUrl).username}`);
  try {
    const scratch: Servers = {
      ...servers,
      databaseUrl: onDatabase(servers.databaseUrl, name),
      workerDatabaseUrl: onDatabase(servers.workerDatabaseUrl, name),
      workerReplicaUrl: servers.workerReplicaUrl && onDatabase(servers.workerReplicaUrl, name),
      databaseAdminUrl: onDatabase(servers.databaseAdminUrl, name),
    };
    const schema = path.join(import.meta.dirname, slug, 'schema.sql');
    if (existsSync(schema)) await runSql(scratch.databaseUrl, readFileSync(schema, 'utf8'));
    return await work(scratch);
  } finally {
    await dropDatabase(servers.databaseAdminUrl, name);
  }
}

/** Several statements, or one that must not run in a transaction. */
export async function runSql(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** A setting that takes a superuser, for all connections that are made to this database from now on. */
export async function setOnDatabase({ databaseAdminUrl }: Servers, setting: string): Promise<void> {
  await runSql(databaseAdminUrl, `alter database ${new URL(databaseAdminUrl).pathname.slice(1)} set ${setting}`);
}

/** PostgreSQL waits a few seconds for connections that are being closed; whatever is left then is ended by force. */
async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await runSql(adminUrl, `drop database ${name}`).catch((error) => {
    if (sqlState(error) !== IN_USE) throw error;
    return runSql(adminUrl, `drop database ${name} with (force)`);
  });
}

const IN_USE = '55006';

function onDatabase(url: string, name: string): string {
  const result = new URL(url);
  result.pathname = `/${name}`;
  return result.href;
}
