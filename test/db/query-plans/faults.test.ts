import { afterAll, beforeAll, expect, test } from 'vitest';
import { fewestFaults } from '../../../scripts/query-plans/faults.ts';
import type { SmallGroup } from '../../../scripts/query-plans/module-plans.ts';
import { readCatalog, waysOf } from '../../../scripts/query-plans/plan.ts';
import type { Statement } from '../../../scripts/query-plans/statements.ts';
import { openPlanning, type Planning } from './planning.ts';

/** A library: books on shelves, with their pages and loans. */
const LIBRARY = `
  create table shelves (org_id bigint, id bigint, name text, primary key (org_id, id));
  create table books (
    org_id bigint, id bigint, shelf_id bigint, isbn text, title text, added_at timestamptz,
    primary key (org_id, id), unique (org_id, isbn), foreign key (org_id, shelf_id) references shelves
  );
  create index on books (org_id, shelf_id, id);
  create table pages (
    org_id bigint, book_id bigint, number integer, kind text, body text, added_at timestamptz,
    primary key (org_id, book_id, number), foreign key (org_id, book_id) references books
  );
  create table loans (
    org_id bigint, id bigint, book_id bigint, paper text, begun_at timestamptz,
    primary key (org_id, id), foreign key (org_id, book_id) references books
  );
  create index on loans (org_id, book_id, id);
  create index on loans (org_id, begun_at, id);
  grant select, update on shelves, books, pages, loans to tardigrade_tenant, tardigrade_system;
  select isolate_tenant(name) from unnest('{shelves, books, pages, loans}'::regclass[]) as name`;
const SMALL_GROUPS: SmallGroup[] = [{ table: 'pages', columns: ['org_id', 'book_id'], because: 'books are bound' }];

let planning: Planning;
beforeAll(async () => {
  planning = await openPlanning(SMALL_GROUPS, LIBRARY);
});
afterAll(() => planning.close());

const GOOD = {
  'one row by its key': 'select body from pages where org_id = $1 and book_id = $2 and number = $3',
  'a page that goes on from a place': 'select id, title from books where org_id = $1 and id > $2 order by id limit $3',
  'a join by keys': `select b.title, s.name from books b join shelves s on s.org_id = b.org_id and s.id = b.shelf_id
    where b.org_id = $1 and b.id = $2`,
  'a small group': 'select body from pages where org_id = $1 and book_id = $2',
  'a batch that finds its rows by the key': `update loans l
    set paper = (select given.paper from jsonb_to_record($2::jsonb -> l.id::text) as given (paper text))
    where l.org_id = $1 and l.id = any($3::bigint[])`,
  'a batch that is read row by row': `select given.id, b.title from unnest($2::bigint[]) as given (id)
    cross join lateral (select title from books where org_id = $1 and id = given.id limit 1) as b`,
};

test.each(Object.entries(GOOD))('passes: %s', async (_, sql) => {
  expect(await planning.faultsIn(tenant(sql))).toEqual([]);
});

const BAD: Record<string, { sql: string; rules: string[]; roles?: Statement['roles'] }> = {
  'a filter on a column without an index': {
    sql: 'select number from pages where org_id = $1 and kind = $2 order by added_at limit 10',
    rules: ['index-path'],
  },
  'a filter that discards rows below a limit': {
    sql: 'select id from books where org_id = $1 and id > $2 and added_at > $3 order by id limit 10',
    rules: ['index-path'],
  },
  'a list without a limit': { sql: 'select id, title from books where org_id = $1', rules: ['index-path', 'bound'] },
  'a list that is as long as its shelf': {
    sql: 'select id from books where org_id = $1 and shelf_id = $2',
    rules: ['index-path', 'bound'],
  },
  'a text searched in the middle': {
    sql: `select id from books where org_id = $1 and title like '%' || $2 || '%' order by id limit 10`,
    rules: ['index-path'],
  },
  'a page by offset': {
    sql: 'select id from books where org_id = $1 order by id limit $2 offset $3',
    rules: ['offset'],
  },
  'an order that no index has': {
    sql: 'select id from books where org_id = $1 order by added_at limit 10',
    rules: ['index-path'],
  },
  'all organisations, by a job': {
    sql: 'select id from loans where begun_at < $1 order by begun_at limit 10',
    rules: ['index-path'],
    roles: ['system'],
  },
  'no organisation, which only Row-Level Security saves': {
    sql: 'select title from books where id = $1',
    rules: ['organisation'],
  },
  'a subquery per row that reads all': {
    sql: `select id, (select count(*) from loans l where l.org_id = b.org_id and l.book_id = b.id)
      from books b where org_id = $1 order by id limit 10`,
    rules: ['index-path'],
  },
  'a join that reads the other table whole': {
    sql: `select b.id from books b join books other on other.org_id = b.org_id and other.title = b.title
      where b.org_id = $1 and b.id = $2 limit 10`,
    rules: ['index-path'],
  },
  'a count of everything': { sql: 'select count(*) from pages where org_id = $1', rules: ['index-path'] },
  'groups without a limit': {
    sql: 'select shelf_id, count(*) from books where org_id = $1 group by shelf_id',
    rules: ['index-path', 'bound'],
  },
  'a batch that is compared with the rows that an array finds': {
    sql: `update books b set title = given.title from unnest($2::bigint[], $3::text[]) as given (id, title)
      where b.org_id = $1 and b.id = any($2) and b.id = given.id`,
    rules: ['batch'],
  },
  'a batch that is joined, which is compared where one row is expected': {
    sql: `update books b set title = given.title from unnest($2::bigint[], $3::text[]) as given (id, title)
      where b.org_id = $1 and b.id = given.id`,
    rules: ['batch'],
  },
  'a change of all rows': {
    sql: 'update loans set paper = null where org_id = $1 and book_id = $2',
    rules: ['index-path', 'bound'],
  },
};

test.each(Object.entries(BAD))('refuses: %s', async (_, { sql, rules, roles = ['tenant'] }) => {
  const faults = await planning.faultsIn({ ...tenant(sql), roles });
  expect([...new Set(faults.map(({ rule }) => rule))].toSorted()).toEqual(rules.toSorted());
});

test('refuses what was good until somebody dropped its index', async () => {
  const sql = 'select id from books where org_id = $1 and isbn = $2';
  expect(await planning.faultsIn(tenant(sql))).toEqual([]);
  await planning.client.query('alter table books drop constraint books_org_id_isbn_key');
  const withoutKey = await readCatalog(planning.client, SMALL_GROUPS);
  expect(fewestFaults(sql, await waysOf(planning.client, sql, 'tenant'), withoutKey).map(({ rule }) => rule)).toContain(
    'index-path',
  );
});

function tenant(sql: string): Statement {
  return { roles: ['tenant'], sites: [], sql };
}
