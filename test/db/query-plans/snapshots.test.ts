import { expect, test } from 'vitest';
import { ownerOf } from '../../../scripts/query-plans/snapshots.ts';

const OWNERS = new Map([
  ['books', 'books'],
  ['loans', 'loans'],
]);
const PLATFORM_SITE = 'src/http/authentication.ts read';

test.each([
  ['select id from "users" where "id" = $1', PLATFORM_SITE, undefined],
  ['select name from organisations', 'src/modules/accounts/queries.ts me', undefined],
  ['select name from organisations', 'src/modules/books/queries.ts libraryOf', 'books'],
  ['select b.id from "users" as u inner join "books" as b on b.id = u.id', PLATFORM_SITE, 'books'],
  ['select id from users u, books b', PLATFORM_SITE, 'books'],
  ['select id from users where id in (select user_id from loans)', PLATFORM_SITE, 'loans'],
  ['update books set loans = loans + 1', 'src/modules/books/queries.ts lend', 'books'],
  ['update books set lent = true', 'src/modules/loans/queries.ts lend', 'loans'],
  ['insert into loans (id) select id from books', 'src/modules/books/queries.ts lend', 'loans'],
  ['delete from loans using unnest($1) as given', PLATFORM_SITE, 'loans'],
])('%s, sent by %s, is shown with %s', (sql, site, owner) => {
  expect(ownerOf(sql, site, OWNERS, ['books', 'loans'])).toBe(owner);
});
