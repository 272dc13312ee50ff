import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { EXCEPTIONS, isExcepted } from '../../../scripts/query-plans/exceptions.ts';
import { type Fault, fewestFaults, withoutOrganisation } from '../../../scripts/query-plans/faults.ts';
import { type Catalog, pretendRows, readCatalog, waysOf } from '../../../scripts/query-plans/plan.ts';
import { SMALL_GROUPS } from '../../../scripts/query-plans/small-groups.ts';
import { parseStatements, type Statement } from '../../../scripts/query-plans/statements.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';

const statements = parseStatements(readFileSync(join(import.meta.dirname, 'queries.sql'), 'utf8'));

let on: TestDatabase;
let client: Client;
let catalog: Catalog;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  const url = new URL(inject('databaseAdminUrl'));
  url.pathname = new URL(on.ownerUrl).pathname;
  client = new Client({ connectionString: url.href });
  await client.connect();
  await pretendRows(client);
  catalog = await readCatalog(client);
});
afterAll(async () => {
  await client.end();
  await on.close();
});

test('there are statements to look at, and every table counts as growing', () => {
  expect(statements.length).toBeGreaterThan(60);
  expect(new Set(catalog.tables.values()).size).toBeGreaterThanOrEqual(13);
  expect(SMALL_GROUPS.filter(({ table }) => !catalog.tables.has(table))).toEqual([]);
});

test('every statement finds its rows by an index and has a bound, or says why not', async () => {
  const wrong: string[] = [];
  const needed = new Set<object>();
  for (const statement of statements) {
    for (const fault of await faultsIn(statement)) {
      const exception = isExcepted(fault, statement.sites);
      if (exception === undefined) wrong.push(`${statement.sites.join(', ')}: ${fault.text}`);
      else needed.add(exception);
    }
  }
  expect.soft(wrong).toEqual([]);
  expect.soft(EXCEPTIONS.filter((exception) => !needed.has(exception))).toEqual([]);
});

const GOOD = {
  'one row by its key': 'select body from messages where org_id = $1 and conversation_id = $2 and seq = $3',
  'a page that goes on from a place':
    'select id, name from employees where org_id = $1 and id > $2 order by id limit $3',
  'a join by keys': `select e.name, t.name from employees e join teams t on t.org_id = e.org_id and t.id = e.team_id
    where e.org_id = $1 and e.id = $2`,
  'a small group': 'select body from messages where org_id = $1 and conversation_id = $2',
  'a batch': `update employees e set name = given.name from unnest($2::bigint[], $3::text[]) as given (id, name)
    where e.org_id = $1 and e.id = given.id`,
};

test.each(Object.entries(GOOD))('passes: %s', async (_, sql) => {
  expect(await faultsIn(tenant(sql))).toEqual([]);
});

const BAD: Record<string, { sql: string; rules: string[]; roles?: Statement['roles'] }> = {
  'a filter on a column without an index': {
    sql: 'select seq from messages where org_id = $1 and sender = $2 order by created_at limit 10',
    rules: ['index-path'],
  },
  'a filter that discards rows below a limit': {
    sql: 'select id from employees where org_id = $1 and id > $2 and created_at > $3 order by id limit 10',
    rules: ['index-path'],
  },
  'a list without a limit': { sql: 'select id, name from employees where org_id = $1', rules: ['index-path', 'bound'] },
  'a list that is as long as its team': {
    sql: 'select id from employees where org_id = $1 and team_id = $2',
    rules: ['index-path', 'bound'],
  },
  'a text searched in the middle': {
    sql: `select id from employees where org_id = $1 and name like '%' || $2 || '%' order by id limit 10`,
    rules: ['index-path'],
  },
  'a page by offset': {
    sql: 'select id from employees where org_id = $1 order by id limit $2 offset $3',
    rules: ['offset'],
  },
  'an order that no index has': {
    sql: 'select id from employees where org_id = $1 order by created_at limit 10',
    rules: ['index-path'],
  },
  'all organisations, by a job': {
    sql: 'select id from conversations where started_at < $1 order by started_at limit 10',
    rules: ['index-path'],
    roles: ['system'],
  },
  'no organisation, which only Row-Level Security saves': {
    sql: 'select name from employees where id = $1',
    rules: ['organisation'],
  },
  'a subquery per row that reads all': {
    sql: `select id, (select count(*) from reach_outs r where r.org_id = c.org_id and r.campaign_id = c.id)
      from campaigns c where org_id = $1 order by id limit 10`,
    rules: ['index-path'],
  },
  'a join that reads the other table whole': {
    sql: `select e.id from employees e join employees other on other.org_id = e.org_id and other.name = e.name
      where e.org_id = $1 and e.id = $2 limit 10`,
    rules: ['index-path'],
  },
  'a count of everything': { sql: 'select count(*) from messages where org_id = $1', rules: ['index-path'] },
  'groups without a limit': {
    sql: 'select team_id, count(*) from employees where org_id = $1 group by team_id',
    rules: ['index-path', 'bound'],
  },
  'a change of all rows': {
    sql: 'update reach_outs set error = null where org_id = $1 and campaign_id = $2',
    rules: ['index-path', 'bound'],
  },
};

test.each(Object.entries(BAD))('refuses: %s', async (_, { sql, rules, roles = ['tenant'] }) => {
  const faults = await faultsIn({ ...tenant(sql), roles });
  expect([...new Set(faults.map(({ rule }) => rule))].toSorted()).toEqual(rules.toSorted());
});

test('refuses what was good until somebody dropped its index', async () => {
  const sql = 'select id from conversations where org_id = $1 and reach_out_id = $2';
  expect(await faultsIn(tenant(sql))).toEqual([]);
  await client.query('alter table conversations drop constraint conversations_org_id_reach_out_id_key');
  const withoutKey = await readCatalog(client);
  expect(fewestFaults(sql, await waysOf(client, sql, 'tenant'), withoutKey).map(({ rule }) => rule)).toContain(
    'index-path',
  );
});

function tenant(sql: string): Statement {
  return { roles: ['tenant'], sites: [], sql };
}

async function faultsIn({ sql, roles }: Statement): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const role of roles) faults.push(...fewestFaults(sql, await waysOf(client, sql, role), catalog));
  if (roles.includes('tenant')) {
    const [bare] = await waysOf(client, sql, 'owner');
    if (bare !== undefined) faults.push(...withoutOrganisation(bare, catalog));
  }
  return faults;
}
