/**
 * What it is: the check, at every start, that the servers are the ones that this code was written for.
 * What fails without it: on an older PostgreSQL everything starts and says ready, until the first statement that only a
 *   newer one understands fails, for ever; and a DATABASE_REPLICA_URL that leads to another cluster serves its data.
 * How it works: one query for the version; the replica must have the primary's system identifier, which a server gets
 *   when it is created and a replica copies.
 * What it costs: one connection to the replica, for the time of one query.
 * Its bound: POSTGRES_VERSION_MIN, REPLICA_ANSWER_MS. Its proof: test/db/server-version.test.ts.
 */
import { sql } from 'kysely';
import { Client } from 'pg';
import { StartError } from '../errors.ts';
import { POSTGRES_VERSION_MIN, REPLICA_ANSWER_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Db } from './schema.ts';

export interface ServerVersion {
  /** PostgreSQL's own number: 170002 is 17.2. */
  readonly number: number;
  /** For people: `17.2`, or `17.2 (Debian 17.2-1)`. */
  readonly version: string;
}

export const VERSION_QUERY =
  "select current_setting('server_version_num')::int as number, current_setting('server_version') as version";

/** Throws StartError when the server is too old. */
export async function refuseOldServer(db: Db): Promise<void> {
  const { rows } = await sql<ServerVersion>`${sql.raw(VERSION_QUERY)}`.execute(db);
  refuseOldVersion('this server', rows[0] as ServerVersion);
}

/**
 * Throws StartError when the replica is too old, or is another database's. One that does not answer is not refused:
 * reads go to the primary until it does.
 */
export async function refuseWrongReplica(primary: Db, url: string, log: Log): Promise<void> {
  const replica = new Client({
    connectionString: url,
    connectionTimeoutMillis: REPLICA_ANSWER_MS,
    query_timeout: REPLICA_ANSWER_MS,
  });
  replica.on('error', () => undefined); // the query fails, and is reported
  const ask = async <R>(text: string) => (await replica.query(text)).rows[0] as R;
  try {
    await replica.connect();
    refuseOldVersion('the replica', await ask<ServerVersion>(VERSION_QUERY));
    const { rows } = await sql<Identity>`${sql.raw(IDENTITY_QUERY)}`.execute(primary);
    if ((await ask<Identity>(IDENTITY_QUERY)).identifier !== rows[0]?.identifier)
      throw new StartError(
        'DATABASE_REPLICA_URL does not lead to a replica of the server in DATABASE_URL: it has the data of another one.',
      );
  } catch (error) {
    if (error instanceof StartError) throw error;
    log.warn({ err: error }, 'the replica cannot be checked; reads go to the primary until it answers');
  } finally {
    await replica.end().catch(() => undefined);
  }
}

/** The sentence about a server that is too old, or undefined. */
export function tooOld(what: string, { number, version }: ServerVersion): string | undefined {
  if (number >= POSTGRES_VERSION_MIN) return undefined;
  const needed = Math.floor(POSTGRES_VERSION_MIN / 10_000);
  return `Tardigrade needs PostgreSQL ${needed} or newer; ${what} is ${version.split(' ')[0]}.`;
}

function refuseOldVersion(what: string, version: ServerVersion): void {
  const sentence = tooOld(what, version);
  if (sentence !== undefined) throw new StartError(sentence);
}

interface Identity {
  readonly identifier: string;
}

const IDENTITY_QUERY = 'select system_identifier::text as identifier from pg_control_system()';
