/**
 * What tells staging from everything else: a setting of the database, which no dump of its tables takes along, and a word
 * in the answer of /readyz, which ENVIRONMENT=staging puts there. Only what is marked is loaded, or written over.
 */
import pg from 'pg';
import { ASK_MS } from './limits.ts';

const SETTING = 'deployment.environment';
const STAGING = 'staging';

/** `adminUrl`: of a role that may change the database, and never anybody's real one. */
export async function markDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('select current_database() as name');
    await client.query(`alter database ${pg.escapeIdentifier(rows[0]?.name ?? '')} set ${SETTING} = '${STAGING}'`);
  } finally {
    await client.end();
  }
}

/** @throws one sentence when this database is not staging */
export async function requireMark(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ mark: string | null; name: string }>(
    'select current_setting($1, true) as mark, current_database() as name',
    [SETTING],
  );
  if (rows[0]?.mark !== STAGING)
    throw new Error(
      `The database ${rows[0]?.name} is not marked as staging, so nothing is written into it (docs/staging.md).`,
    );
}

/** The same for an address. */
export async function requireMarkAt(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await requireMark(client);
  } finally {
    await client.end();
  }
}

/** @throws one sentence when the product at this address does not say that it is staging */
export async function requireStaging(url: string): Promise<void> {
  const asked = new URL('/readyz', url);
  const said = await fetch(asked, { signal: AbortSignal.timeout(ASK_MS) })
    .then((answer) => answer.json() as Promise<{ environment?: unknown }>)
    .catch((error: Error) => new Error(`${asked.href} does not say what it is (${error.message})`));
  if (said instanceof Error) throw new Error(`${said.message}, so it is not put under load.`);
  if (said.environment !== STAGING)
    throw new Error(`${new URL(url).origin} is not marked as staging, so it is not put under load (docs/staging.md).`);
}
