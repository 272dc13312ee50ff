import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiClient } from '../../api-client.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

interface Employee {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly team: { id: number; name: string };
}
type Page = { items: Employee[]; nextCursor: string | null };

const PEOPLE = 123;

let api: RunningApi;
let owner: ApiClient;
let sales: number;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
  sales = await team(owner.orgId, 'Sales');
  const design = await team(owner.orgId, 'Design');
  await people(owner.orgId, (n) => ({
    name: `Person ${n}`,
    email: `p${n}@a.test`,
    team_id: n % 3 === 0 ? sales : design,
  }));
  const other = await api.register();
  const theirs = await team(other.orgId, 'Sales');
  await people(other.orgId, (n) => ({ name: `Stranger ${n}`, email: `p${n}@a.test`, team_id: theirs }));
  for (const [name, email] of [
    ['100% Ada', 'percent%@b.test'],
    ['1000 Ben', 'under_score@b.test'],
    ['back\\slash', 'underxscore@b.test'],
    ['Émile Zola', 'emile@b.test'],
  ] as const) {
    const row = { org_id: owner.orgId, team_id: design, name, email };
    await api.database.db.insertInto('employees').values(row).execute();
  }
  await owner.send('POST', '/api/v1/imports', { fileName: 'a.csv' }); // moves the reader's position behind the rows above
});
afterAll(() => api.stop());

const list = (query: string) => owner.get<Page>(`/api/v1/employees?${query}`);
const names = async (search: string) =>
  (await list(new URLSearchParams({ search }).toString())).body.items.map(({ name }) => name);

test('all pages together show everybody once, in order, and nobody else', async () => {
  const seen = await allPages('limit=10');
  expect(seen).toHaveLength(PEOPLE + 4);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  expect(seen.map(({ id }) => id)).toEqual(seen.map(({ id }) => id).toSorted((a, b) => a - b));
  expect(seen.filter(({ name }) => name.startsWith('Stranger'))).toEqual([]);
});

test('the last page says that it is the last, also when it is full', async () => {
  expect((await list(`limit=${PEOPLE + 4}`)).body.nextCursor).toBeNull();
  expect((await list(`limit=${PEOPLE + 3}`)).body.nextCursor).not.toBeNull();
});

test('a list of a team has that team only, over all its pages', async () => {
  const seen = await allPages(`limit=7&teamId=${sales}`);
  expect(seen).toHaveLength(Math.ceil(PEOPLE / 3));
  expect(new Set(seen.map(({ team: { name } }) => name))).toEqual(new Set(['Sales']));
});

test('a search finds the beginning of names and addresses, in any case', async () => {
  expect(await names('person 12')).toEqual(['Person 12', 'Person 120', 'Person 121', 'Person 122']);
  expect(await names('P12@')).toEqual(['Person 12']);
  expect(await names('ÉMILE')).toEqual(['Émile Zola']);
  expect(await names('erson')).toEqual([]);
});

test('case is compared by PostgreSQL alone, and composed and decomposed letters are the same', async () => {
  const another = await api.register();
  const everybody = ['İpek Işık', 'ΟΔΥΣΣΕΑΣ', 'Zoë Quill'];
  const id = await team(another.orgId, 'Sales');
  for (const [n, name] of everybody.entries()) {
    const row = { org_id: another.orgId, team_id: id, name, email: `case-${n}@case.test` };
    await api.database.db.insertInto('employees').values(row).execute();
  }
  await another.send('POST', '/api/v1/imports', { fileName: 'a.csv' }); // as above
  const found = async (search: string) => {
    const { body } = await another.get<Page>(`/api/v1/employees?${new URLSearchParams({ search })}`);
    return body.items.map(({ name }) => name);
  };
  for (const name of everybody) {
    expect(await found(name)).toEqual([name]);
    expect(await found(name.normalize('NFD'))).toEqual([name]);
  }
  expect(await found('zoe\u0308 q')).toEqual(['Zoë Quill']);
  expect(await found('\u00a0ZOË\u00a0q\u200b')).toEqual(['Zoë Quill']);
  expect(await found('case-1@')).toEqual(['ΟΔΥΣΣΕΑΣ']);
});

test('an address is found as it is written, in letters of its domain that it is not kept in', async () => {
  const another = await api.register();
  const row = { org_id: another.orgId, team_id: await team(another.orgId, 'Sales'), name: 'Jo' };
  await api.database.db
    .insertInto('employees')
    .values({ ...row, email: 'jo@xn--mnchen-3ya.test' })
    .execute();
  await another.send('POST', '/api/v1/imports', { fileName: 'a.csv' }); // as above
  for (const search of ['jo@münchen.test', 'JO@MÜNCHEN.TEST', 'jo@xn--mnchen-3ya.test', 'jo@']) {
    const { body } = await another.get<Page>(`/api/v1/employees?${new URLSearchParams({ search })}`);
    expect(body.items).toHaveLength(1);
  }
});

test('a search takes %, _ and backslash for what they are', async () => {
  expect(await names('100%')).toEqual(['100% Ada']);
  expect(await names('%')).toEqual([]);
  expect(await names('under_')).toEqual(['1000 Ben']);
  expect(await names('_')).toEqual([]);
  expect(await names('back\\')).toEqual(['back\\slash']);
});

test('a search by name and address shows each person once, in the order of what was found, over all its pages', async () => {
  const row = (name: string, email: string) => ({ org_id: owner.orgId, team_id: sales, name, email });
  const rows = [
    row('Quinn Ash', 'quinn.ash@b.test'), // by both: stands where the name is
    row('Ash, Quinn', 'quinn.ash.2@b.test'), // by the address alone
    row('quinn', 'a.quinn@b.test'), // by the name alone
    row('Quincy', 'quincy@b.test'),
    row('Quinn Ash', 'another.quinn@b.test'), // the same name again
    row('quinn@b.test', 'quinn@b.test'), // one and the same
  ];
  await api.database.db.insertInto('employees').values(rows).execute();
  await owner.send('POST', '/api/v1/imports', { fileName: 'a.csv' });
  const expected = ['a.quinn@b.test', 'quinn.ash@b.test', 'another.quinn@b.test', 'quinn.ash.2@b.test', 'quinn@b.test'];
  for (const limit of [1, 2, 3, 100]) {
    const seen = await allPages(`limit=${limit}&search=Quinn`);
    expect(
      seen.map(({ email }) => email),
      `by ${limit}`,
    ).toEqual(expected);
  }
  const team = await allPages(`limit=2&search=quin&teamId=${sales}`);
  expect(team).toHaveLength(rows.length);
});

test('a cursor is good for its own list and filter only', async () => {
  const { nextCursor } = (await list('limit=5')).body;
  expect((await list(`limit=5&cursor=${nextCursor}`)).status).toBe(200);
  for (const query of [
    `limit=5&cursor=${nextCursor}&teamId=${sales}`,
    `limit=5&cursor=${nextCursor}&search=p`,
    `cursor=${nextCursor?.slice(0, -2)}`,
    'cursor=nonsense',
  ]) {
    expect((await list(query)).status, query).toBe(400);
  }
  expect((await owner.get(`/api/v1/imports?cursor=${nextCursor}`)).status).toBe(400);
});

test('the longest search can be paged through, whatever it is written in', async () => {
  const long = '熊'.repeat(119);
  const row = (n: number) => ({ org_id: owner.orgId, team_id: sales, name: `${long}${n}`, email: `bear${n}@b.test` });
  await api.database.db
    .insertInto('employees')
    .values([row(1), row(2)])
    .execute();
  await owner.send('POST', '/api/v1/imports', { fileName: 'a.csv' });
  expect(await allPages(`limit=1&${new URLSearchParams({ search: long })}`)).toHaveLength(2);
});

async function allPages(query: string): Promise<Employee[]> {
  const seen: Employee[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { status, body }: { status: number; body: Page } = await list(
      cursor === '' ? query : `${query}&cursor=${cursor}`,
    );
    expect(status).toBe(200);
    seen.push(...body.items);
    cursor = body.nextCursor;
  }
  return seen;
}

async function team(orgId: number, name: string): Promise<number> {
  const values = { org_id: orgId, name };
  return (await api.database.db.insertInto('teams').values(values).returning('id').executeTakeFirstOrThrow()).id;
}

async function people(orgId: number, person: (n: number) => { name: string; email: string; team_id: number }) {
  const rows = Array.from({ length: PEOPLE }, (_, n) => ({ org_id: orgId, ...person(n) }));
  await api.database.db.insertInto('employees').values(rows).execute();
}
