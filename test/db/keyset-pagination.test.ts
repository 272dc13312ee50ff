import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCursors, type Page, type Place } from '../../src/db/keyset-pagination.ts';
import { CURSOR_CHARS_MAX, PAGE_ROWS_DEFAULT } from '../../src/limits.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { SECRET_KEY } from '../worker.ts';

type Row = { id: number; name: string };

const cursors = createCursors(SECRET_KEY);
const LIST = 'people';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
});
afterAll(() => database.close());

test('a thousand rows while others come and go: none is seen twice, none that stays is missed', async () => {
  await sql`create table people (id integer primary key, name text not null)`.execute(database.db);
  // Only ten names: the id alone decides among a hundred equals.
  await sql`insert into people select n, 'name ' || n % 10 from generate_series(1, 1000) n`.execute(database.db);
  const seen: number[] = [];
  const removed = new Set<number>();
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page: Page<Row> = await peopleAfter(cursor);
    seen.push(...page.items.map(({ id }) => id));
    // Before and behind the reader, and the row that the cursor names.
    await sql`insert into people values (${2_000 + pages}, 'name 0'), (${3_000 + pages}, 'name 9')`.execute(
      database.db,
    );
    for (const id of [page.items.at(-1)?.id ?? 0, 7 * ++pages]) {
      await sql`delete from people where id = ${id}`.execute(database.db);
      removed.add(id);
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);

  expect(pages).toBeGreaterThan(20);
  expect(new Set(seen).size).toBe(seen.length);
  const staying = Array.from({ length: 1_000 }, (_, n) => n + 1).filter((id) => !removed.has(id));
  expect(staying.filter((id) => !seen.includes(id))).toEqual([]);
});

test('the last page has no next one, even when it is exactly full', async () => {
  const pageOf = (rows: number[]) =>
    cursors.page(
      LIST,
      { limit: 2 },
      async () => rows,
      (row) => [row],
    );
  expect(await pageOf([1, 2, 3])).toEqual({ items: [1, 2], nextCursor: cursors.encode(LIST, [2]) });
  expect(await pageOf([1, 2])).toEqual({ items: [1, 2], nextCursor: null });
  expect(await pageOf([])).toEqual({ items: [], nextCursor: null });
});

test('one row more than the page holds is asked for, after the place that the cursor names', async () => {
  const asked: unknown[] = [];
  const read = async (...given: [Place | undefined, number]) => {
    asked.push(given);
    return [];
  };
  await cursors.page(LIST, {}, read, () => []);
  await cursors.page(LIST, { limit: 7, cursor: cursors.encode(LIST, ['name 7', 42]) }, read, () => []);
  expect(asked).toEqual([
    [undefined, PAGE_ROWS_DEFAULT + 1],
    [['name 7', 42], 8],
  ]);
});

test.each([[['name 7', 42]], [[42]], [[null, 42]], [['Zoë 🐻 "quoted"', 42]], [['2026-11-21T06:02:17.123456Z', 42]]])(
  'the place %j comes back as it was',
  (place: Place) => {
    expect(cursors.decode(LIST, cursors.encode(LIST, place))).toEqual(place);
  },
);

test('without a cursor the list begins at its beginning', () => {
  expect(cursors.decode(LIST, undefined)).toBeUndefined();
});

test.each(forgeries())('%s is refused as invalid, with what to do', (_, cursor) => {
  expect(() => cursors.decode(LIST, cursor)).toThrow(
    expect.objectContaining({ name: 'AppError', code: 'invalid', message: expect.stringContaining('first page') }),
  );
});

function forgeries(): [string, string][] {
  const own = cursors.encode(LIST, ['name 7', 42]);
  const [payload = '', signature = ''] = own.split('.');
  const otherPlace = Buffer.from(JSON.stringify([1, LIST, 'name 7', 43])).toString('base64url');
  return [
    ['another place under our signature', `${otherPlace}.${signature}`],
    [
      'our payload with a changed signature',
      `${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    ],
    ['a payload without a signature', payload],
    ['a signature without a payload', `.${signature}`],
    ['an empty cursor', ''],
    ['a cursor that was cut off', own.slice(0, -1)],
    ['a cursor with something after it', `${own}.x`],
    ['a cursor of another list', cursors.encode('places', ['name 7', 42])],
    ['a cursor of the same list under another filter', cursors.encode(`${LIST} status=3`, ['name 7', 42])],
    ['a cursor under another secret', createCursors(`${SECRET_KEY}!`).encode(LIST, ['name 7', 42])],
    ['a cursor beyond the limit, although correctly signed', cursors.encode(LIST, ['x'.repeat(CURSOR_CHARS_MAX), 42])],
    ['a megabyte', 'x'.repeat(1_000_000)],
    ['text that is not base64', '%%%.%%%'],
  ];
}

async function peopleAfter(cursor: string | undefined): Promise<Page<Row>> {
  return cursors.page(
    LIST,
    { limit: 37, cursor },
    async ([name, id]: readonly [string, number] = ['', 0], limit) => {
      const { rows } = await sql<Row>`
        select id, name from people where (name, id) > (${name}, ${id}) order by name, id limit ${limit}`.execute(
        database.db,
      );
      return rows;
    },
    ({ name, id }) => [name, id],
  );
}
