import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { modulePlans } from '../../scripts/query-plans/module-plans.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { asAdmin, createTestDatabase, openPoolOfOne, type TestDatabase } from '../database.ts';
import { addOrganisationWithPapers, createPapers } from './papers.ts';

let on: TestDatabase;
let ours: number;
let theirs: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  await createPapers(on.db);
  ours = await addOrganisationWithPapers(on.db, 'ours.test', 3);
  theirs = await addOrganisationWithPapers(on.db, 'theirs.test', 5);
});
afterAll(() => on.close());

/** Rows that belong to no organisation, or to the server: each with its reason. */
const NO_TENANT: Record<string, string> = {
  kysely_migration: 'which migrations ran',
  kysely_migration_lock: 'and that they run one at a time',
  registrations: 'addresses whose organisation does not exist yet',
  alerts: 'what is wrong with the deployment',
  backups: 'when it was backed up',
  asked_stops: 'which processes were asked to stop',
};

/** Indexes of the platform that do not begin with the organisation: each with its reason. A module's are in its query-plans.ts. */
const ACROSS: Record<string, string> = {
  organisations_pkey: 'the organisation itself',
  users_email_key: 'addresses are unique over all organisations',
  audit_log_by_age: 'retention deletes what is old in all organisations',
  api_keys_by_expiry: 'keys end, whosever they are',
  api_keys_key_hash_key: 'whose key it is, only the row says',
  idempotency_keys_by_key: 'whose it is, of somebody who is not signed in, only the row says',
  idempotency_keys_by_time: 'retention deletes what is old in all organisations',
  invitations_by_expiry: 'invitations end, whosever they are',
  invitations_unmailed: 'the mailer looks at all organisations',
  oidc_identities_issuer_subject_key: 'whose identity it is, only the row says',
  password_resets_by_expiry: 'links end, whosever they are',
  password_resets_unmailed: 'the mailer looks at all organisations',
  sessions_pkey: 'whose session it is, only the row says',
  sessions_by_expiry: 'sessions end, whosever they are',
  outbox_pkey: 'the relay looks at all organisations',
  outbox_by_topic: 'and takes the oldest events of a topic',
};

test('every table names its organisation, forces Row-Level Security on everybody, and has the two policies; others only take away', async () => {
  const { rows } = await sql<{ name: string; forced: boolean; has_org: boolean; policies: string[] }>`
    select relname as name, relrowsecurity and relforcerowsecurity as forced,
      exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id' and attnotnull) as has_org,
      array(select format('%s to %s using %s', policyname, array_to_string(roles, ','), qual) from pg_policies
            where tablename = relname and permissive = 'PERMISSIVE' order by policyname) as policies
    from pg_class c where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by relname`.execute(
    on.db,
  );
  const tables = rows.filter(({ name }) => !(name in NO_TENANT));
  expect(tables.length).toBeGreaterThanOrEqual(5);
  for (const { name, forced, has_org, policies } of tables) {
    const column = name === 'organisations' ? 'id' : 'org_id';
    expect(forced, `${name}: enable and force row level security`).toBe(true);
    expect(has_org || name === 'organisations', `${name}: org_id not null`).toBe(true);
    expect(policies, name).toEqual([
      'system to tardigrade_system using true',
      `tenant to tardigrade_tenant using (${column} = (current_setting('app.org'::text))::bigint)`,
    ]);
  }
});

test('every index begins with the organisation, but for those that say why not', async () => {
  const { rows } = await sql<{ name: string; first: string }>`
    select i.relname as name, (select attname from pg_attribute where attrelid = indrelid and attnum = indkey[0]) as first
    from pg_index join pg_class i on i.oid = indexrelid join pg_class t on t.oid = indrelid
    where t.relnamespace = 'public'::regnamespace and t.relname not in (${sql.join(Object.keys(NO_TENANT))})`.execute(
    on.db,
  );
  const across = rows.filter(({ first }) => first !== 'org_id').map(({ name }) => name);
  const ofModules = (await modulePlans()).flatMap(({ indexesAcross = {} }) => Object.keys(indexesAcross));
  expect(across.toSorted()).toEqual([...Object.keys(ACROSS), ...ofModules].toSorted());
});

test('nothing goes around the policies: no view, no function that runs as its owner', async () => {
  const { rows } = await sql`
    select relname as name from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace
    union all select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace`.execute(on.db);
  expect(rows).toEqual([]);
});

test('a query that forgets its filter finds the rows of its organisation, and no others', async () => {
  expect(await domains(on.database.primary(ours))).toEqual(['ours.test', 'ours.test', 'ours.test']);
  expect(await domains(on.database.primary(theirs))).toHaveLength(5);
  expect(await domains(on.database.primary(999_999))).toEqual([]);
  const { value } = await on.database.write(ours, domains);
  expect(value).toHaveLength(3);
});

test('a write that forgets its filter changes no row of others; one that names them is refused', async () => {
  await on.database.write(ours, (db) => sql`update papers set domain = 'renamed.test'`.execute(db));
  const { rows } = await sql<{ org_id: number; count: number }>`
    select org_id, count(*) from papers where domain = 'renamed.test' group by 1`.execute(on.db);
  expect(rows).toEqual([{ org_id: ours, count: 3 }]);
  await sql`update papers set domain = 'ours.test' where org_id = ${ours}`.execute(on.db);

  const added = on.database.write(ours, (db) =>
    sql`insert into papers (org_id, domain) values (${theirs}, 'ours.test')`.execute(db),
  );
  await expect(added).rejects.toMatchObject({ code: '42501', message: expect.stringMatching(/row-level security/) });
  const moved = on.database.write(ours, (db) => sql`update papers set org_id = ${theirs}`.execute(db));
  await expect(moved).rejects.toMatchObject({ code: '42501' });
});

test('without a scope there is no right at all, and a role without an organisation is an error, not an empty list', async () => {
  await expect(domains(on.database.server)).rejects.toMatchObject({ code: '42501' });
  const client = new Client({ connectionString: on.url });
  await client.connect();
  onTestFinished(() => client.end());
  for (const before of ['', `select set_config('app.org', '1', true)`]) {
    // Never set, and set once in this connection's life: PostgreSQL then keeps an empty text.
    await client.query(`begin; ${before}; commit`);
    await client.query('begin; set local role tardigrade_tenant');
    await expect(client.query('select count(*) from papers')).rejects.toThrow(/app\.org|invalid input syntax/);
    await client.query('rollback');
  }
});

test('what an organisation’s requests never do, their role may not do', async () => {
  const forbidden = [
    "update users set email = ''",
    "update invitations set role = 'owner'",
    "update api_keys set scope = 'write'",
    'delete from papers',
    "update users set name = ''",
    'select * from outbox',
    'delete from organisations',
    'update sessions set expires_at = now()',
    'create table mine (id integer)',
    'truncate papers',
  ];
  for (const text of forbidden) {
    const asked = on.database.write(ours, (db) => sql.raw(text).execute(db));
    await expect(asked, text).rejects.toMatchObject({ code: '42501' });
  }
});

test('a pool of one, used by two organisations and the jobs at once: nobody ever sees what is not theirs', async () => {
  const pool = openPoolOfOne(on.url);
  const wrong: string[] = [];
  const look = async (orgId: number, domain: string) => {
    for (let n = 0; n < 60; n++) {
      if (n % 7 === 0) await sql`select 1 / 0`.execute(pool.within({ scope: orgId })).catch(() => undefined);
      const seen = await domains(pool.within({ scope: orgId }));
      if (seen.some((found) => found !== domain)) wrong.push(`${orgId} saw ${seen}`);
    }
  };
  const all = async () => {
    for (let n = 0; n < 60; n++)
      if ((await domains(pool.within({ scope: EVERY_ORGANISATION }).withoutPlugins()).catch(() => [])).length > 0)
        wrong.push('the jobs read papers, for which they have no right');
  };
  await Promise.all([look(ours, 'ours.test'), look(theirs, 'theirs.test'), all()]);
  expect(wrong).toEqual([]);
});

test.each(['commit', 'rollback', 'a failed statement', 'a killed connection'])(
  'after %s nothing of the scope is left on the connection',
  async (ending) => {
    const pool = openPoolOfOne(on.url);
    const within = pool.within({ scope: ours });
    await within
      .transaction()
      .execute(async (transaction) => {
        expect(await domains(transaction)).toHaveLength(3);
        if (ending === 'rollback') throw new Error('changed our mind');
        if (ending === 'a failed statement') await sql`select 1 / 0`.execute(transaction);
        if (ending === 'a killed connection') await kill(transaction);
      })
      .catch(() => undefined);
    const left = await sql<{ role: string; org: string | null }>`
      select current_user::text as role, nullif(current_setting('app.org', true), '') as org`
      .execute(pool.unscoped)
      .catch(() =>
        sql<{ role: string; org: string | null }>`
        select current_user::text as role, nullif(current_setting('app.org', true), '') as org`.execute(pool.unscoped),
      );
    expect(left.rows).toEqual([{ role: new URL(on.url).username, org: null }]);
  },
);

test('the scope costs no round trip: it travels with its statement, and is parsed once per connection', async () => {
  const pool = openPoolOfOne(on.url);
  const marker = randomUUID();
  await domains(pool.within({ scope: ours }));
  const { rows } = await sql<{ name: string; used: number }>`
    select name, (generic_plans + custom_plans)::int as used from pg_prepared_statements
    where name = 'scope' and ${marker} <> ''`.execute(pool.within({ scope: ours }));
  expect(rows).toEqual([{ name: 'scope', used: 3 }]); // once when the connection was made, then once per statement
});

test('a second connection inside a transaction is refused, whoever asks for it', async () => {
  const nested = on.database.write(ours, () => domains(on.database.primary(ours)));
  await expect(nested).rejects.toThrow(/second connection was asked for inside a transaction/);
  expect(await domains(on.database.primary(ours))).toHaveLength(3); // outside, all is well again
});

async function domains(db: Db): Promise<string[]> {
  const { rows } = await sql<{ domain: string }>`select domain from papers`.execute(db);
  return rows.map(({ domain }) => domain);
}

async function kill(db: Db): Promise<void> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  await asAdmin((client) => client.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid]));
}
