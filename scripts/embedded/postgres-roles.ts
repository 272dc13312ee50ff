/**
 * Who may sign in to the embedded PostgreSQL, to which database, and what each may do. The roles of docker-compose.yml
 * are the same.
 */
import pg from 'pg';
import { REPLICA_STREAMING_MS } from './limits.ts';
import type { Secrets } from './secrets.ts';

const DATABASE = 'tardigrade';
export const ADMIN_ROLE = 'postgres';
export const REPLICATION_ROLE = 'replicator';
const OWNER_ROLE = 'tardigrade';
const WORKER_ROLE = 'tardigrade_worker';
/** As in migrations/0002-tenant-isolation.sql, which may not create roles here. */
const TENANT_ROLE = 'tardigrade_tenant';
const SYSTEM_ROLE = 'tardigrade_system';

/**
 * Roles and database, each only where missing: a start that was cut short between them is picked up here.
 * What a role was given later is said each time, for the data folders that are older than that line.
 */
export async function ensureRolesAndDatabase(port: number, secrets: Secrets): Promise<void> {
  const admin = await connectAsAdmin(port, secrets, ADMIN_ROLE);
  try {
    const password = (text: string) => `login password ${pg.escapeLiteral(text)}`;
    for (const role of [TENANT_ROLE, SYSTEM_ROLE]) await ensureRole(admin, role, 'nologin');
    // The operations page shows how many bytes the replica is behind.
    await admin.query(`grant pg_read_all_stats to ${SYSTEM_ROLE}`);
    await ensureRole(admin, OWNER_ROLE, `${password(secrets.databasePassword)} createdb in role pg_monitor`);
    await admin.query(`alter role ${OWNER_ROLE} bypassrls`);
    const taking = `noinherit in role ${TENANT_ROLE}, ${SYSTEM_ROLE}`;
    await ensureRole(admin, WORKER_ROLE, `${password(secrets.workerPassword)} ${taking}`);
    await ensureRole(admin, REPLICATION_ROLE, `${password(secrets.replicationPassword)} replication`);
    const { rows } = await admin.query('select from pg_database where datname = $1', [DATABASE]);
    if (rows.length === 0) await admin.query(`create database ${DATABASE} owner ${OWNER_ROLE}`);
  } finally {
    await admin.end();
  }
}

/** @throws when the server was made with other secrets than these */
export async function connectAsAdmin(port: number, secrets: Secrets, database = DATABASE): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: ADMIN_ROLE,
    password: secrets.adminPassword,
    database,
    application_name: 'embedded-stack',
    connectionTimeoutMillis: REPLICA_STREAMING_MS,
  });
  // A server that goes away is told by the query in flight; without a listener it would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new Error('secrets.json does not fit the database beside it; start afresh with: npm run reset', {
      cause: error,
    });
  }
  return client;
}

/** What each role connects to: the fields of `Postgres`, where they are explained. */
export function addressesOf(port: number, secrets: Secrets): { url: string; workerUrl: string; adminUrl: string } {
  const as = (role: string, password: string) => `postgres://${role}:${password}@127.0.0.1:${port}/${DATABASE}`;
  return {
    url: as(OWNER_ROLE, secrets.databasePassword),
    workerUrl: as(WORKER_ROLE, secrets.workerPassword),
    adminUrl: as(ADMIN_ROLE, secrets.adminPassword),
  };
}

async function ensureRole(admin: pg.Client, role: string, rights: string): Promise<void> {
  const { rows } = await admin.query('select from pg_roles where rolname = $1', [role]);
  if (rows.length > 0) return;
  await admin.query(`create role ${role} ${rights}`);
}
