/**
 * The roles of the embedded PostgreSQL, its database, and their privileges. docker-compose.yml has the same roles.
 */
import pg from 'pg';
import { REPLICA_STREAMING_MS } from './limits.ts';
import type { Secrets } from './secrets.ts';

const DATABASE = 'tardigrade';
export const ADMIN_ROLE = 'postgres';
export const REPLICATION_ROLE = 'replicator';
const OWNER_ROLE = 'tardigrade';
const WORKER_ROLE = 'tardigrade_worker';
/** As in migrations/0001-tenant-isolation.sql, which is not allowed to create roles here. */
const TENANT_ROLE = 'tardigrade_tenant';
const SYSTEM_ROLE = 'tardigrade_system';

/**
 * Creates the roles and the database that are missing, so an interrupted start is completed by the next one.
 * Privileges that were added in later versions are granted every time, for data folders that are older than those.
 */
export async function ensureRolesAndDatabase(port: number, secrets: Secrets): Promise<void> {
  const admin = await connectAsAdmin(port, secrets, ADMIN_ROLE);
  try {
    const password = (text: string) => `login password ${pg.escapeLiteral(text)}`;
    for (const role of [TENANT_ROLE, SYSTEM_ROLE]) await ensureRole(admin, role, 'nologin');
    // For the operations page, which shows the replica's lag in bytes.
    await admin.query(`grant pg_read_all_stats to ${SYSTEM_ROLE}`);
    await ensureRole(admin, OWNER_ROLE, `${password(secrets.databasePassword)} createdb in role pg_monitor`);
    await admin.query(`alter role ${OWNER_ROLE} bypassrls`);
    const taking = `noinherit in role ${TENANT_ROLE}, ${SYSTEM_ROLE}`;
    await ensureRole(admin, WORKER_ROLE, `${password(secrets.workerPassword)} ${taking}`);
    // The worker asks a replica for its timeline before it takes any other role.
    await admin.query(`grant pg_read_all_stats to ${WORKER_ROLE} with inherit true`);
    await ensureRole(admin, REPLICATION_ROLE, `${password(secrets.replicationPassword)} replication`);
    const { rows } = await admin.query('select from pg_database where datname = $1', [DATABASE]);
    if (rows.length === 0) await admin.query(`create database ${DATABASE} owner ${OWNER_ROLE}`);
  } finally {
    await admin.end();
  }
}

/** @throws if the server was created with different secrets */
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
  // A lost connection fails the query in flight; without this listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new Error('secrets.json does not match the database next to it; start over with: npm run reset', {
      cause: error,
    });
  }
  return client;
}

/** The address for each role; the fields are explained in `Postgres`. */
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
