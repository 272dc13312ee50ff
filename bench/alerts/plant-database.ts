/** Faults in PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CONNECTIONS_SHARE } from '../../src/modules/operations/limits.ts';
import type { Layout } from '../layout/layout.ts';
import { type FaultContext, NOTHING } from './planted-alert.ts';

export const LOCKED_MS = 800; // less than half of what a caller waits for a connection
export const STRANGERS = 32; // beyond the pool, more than the alert's threshold
export const READERS = 96; // between two locks the replica answers many of them, and enough must go on waiting

/** Runs one statement, as the owner of the tables or as the superuser. */
export async function runStatement(layout: Layout, statement: string, as: 'owner' | 'admin' = 'owner') {
  const { databaseUrl, databaseAdminUrl } = layout.addresses;
  const client = new pg.Client({ connectionString: as === 'owner' ? databaseUrl : databaseAdminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
  return NOTHING;
}

/** Somebody's connections, up to the share that the alert is about and beyond. */
export async function holdConnections({ layout }: FaultContext): Promise<() => unknown> {
  const clients: pg.Client[] = [];
  const open = async () => {
    const client = new pg.Client({ connectionString: layout.addresses.databaseUrl });
    await client.connect();
    clients.push(client);
    const { rows } = await client.query<{ share: number }>(
      `select (select sum(numbackends) from pg_stat_database)::float8 / current_setting('max_connections')::float8 as share`,
    );
    return rows[0]?.share ?? 1;
  };
  // Idle ones of the product end meanwhile.
  const stop = again(async () => {
    while ((await open()) <= CONNECTIONS_SHARE);
    await sleep(1_000);
    await clients.pop()?.end();
  });
  return async () => {
    await stop();
    await Promise.all(clients.map((client) => client.end()));
  };
}

/** Two sessions that take two locks in different orders. */
export async function deadlock(layout: Layout): Promise<void> {
  const clients = [0, 1].map(() => new pg.Client({ connectionString: layout.addresses.databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const [one, other] = clients as [pg.Client, pg.Client];
  await one.query('begin; select pg_advisory_xact_lock(7301)');
  await other.query('begin; select pg_advisory_xact_lock(7302)');
  await Promise.allSettled([
    one.query('select pg_advisory_xact_lock(7302)').finally(() => one.query('rollback')),
    other.query('select pg_advisory_xact_lock(7301)').finally(() => other.query('rollback')),
  ]);
  await Promise.all(clients.map((client) => client.end()));
}

/** A table that the primary reads for each stranger. Each has a network of its own, or its guesses would be limited. */
export async function crowdPrimary({ layout }: FaultContext): Promise<() => unknown> {
  const unlock = await lockAgainAndAgain(layout, 'sessions', 'access exclusive');
  const leave = crowd(STRANGERS, `${layout.addresses.api}/api/v1/me`, (nth) => ({
    authorization: `Bearer ${randomBytes(32).toString('base64url')}`,
    'x-forwarded-for': `10.${nth}.${Math.floor(Math.random() * 250)}.7`,
  }));
  return () => Promise.all([unlock(), leave()]);
}

/** A lock of the primary's is replayed, so it holds on the replica as well, where this page is read. */
export async function crowdReplica({ layout, accounts }: FaultContext): Promise<() => unknown> {
  const unlock = await lockAgainAndAgain(layout, 'audit_log', 'access exclusive');
  const admin = accounts.find(({ role }) => role !== 'viewer');
  const leave = crowd(READERS, `${layout.addresses.apis[1]}/api/v1/audit-log`, () => ({
    authorization: `Bearer ${admin?.token}`,
  }));
  return () => Promise.all([unlock(), leave()]);
}

/** A transaction of the mailers that waits to take events loses its connection, and is run again. Reading them goes on. */
export async function disconnectWaiting({ layout }: FaultContext): Promise<() => unknown> {
  const unlock = await lockAgainAndAgain(layout, 'outbox', 'exclusive');
  const stop = await disconnectMailers(layout, `wait_event_type = 'Lock'`, 50);
  return () => Promise.all([unlock(), stop()]);
}

/** The primary answers everybody but the mailers. */
export function cutMailersOff({ layout }: FaultContext): Promise<() => unknown> {
  return disconnectMailers(layout, 'true', 2);
}

async function disconnectMailers(layout: Layout, condition: string, everyMs: number): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: layout.addresses.databaseAdminUrl });
  await client.connect();
  const stop = again(async () => {
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tardigrade-mailer' and ${condition}`,
    );
    await sleep(everyMs);
  });
  return async () => {
    await stop();
    await client.end();
  };
}

async function lockAgainAndAgain(
  layout: Layout,
  table: string,
  mode: 'exclusive' | 'access exclusive',
): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: layout.addresses.databaseUrl });
  await client.connect();
  const stop = again(async () => {
    await client.query(`begin; lock table ${table} in ${mode} mode`);
    await sleep(LOCKED_MS);
    await client.query('commit');
    await sleep(20);
  });
  return async () => {
    await stop();
    await client.end();
  };
}

/** So many who ask without a pause. */
function crowd(count: number, url: string, headersOf: (nth: number) => Record<string, string>): () => Promise<unknown> {
  const stops = Array.from({ length: count }, (_, nth) =>
    again(async () => {
      const answer = await fetch(url, { headers: headersOf(nth) }).catch(() => undefined);
      await answer?.body?.cancel();
    }),
  );
  return () => Promise.all(stops.map((stop) => stop()));
}

/** Until what it returns is called, which resolves after the last time. */
function again(work: () => Promise<unknown>): () => Promise<void> {
  let ended = false;
  const working = (async () => {
    while (!ended) await work();
  })();
  working.catch(() => undefined); // the one who ends it hears of it
  return async () => {
    ended = true;
    await working;
  };
}
