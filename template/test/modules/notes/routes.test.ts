import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiClient } from '../../../../test/api-client.ts';
import { type RunningApi, runApi } from '../../../../test/running-api.ts';
import { NOTE_TITLE_CHARS_MAX } from '../../../src/modules/notes/limits.ts';

interface Note {
  readonly id: number;
  readonly title: string;
  readonly body: string;
  readonly status: 'open' | 'done';
  readonly version: number;
}
interface Page {
  readonly items: Note[];
  readonly nextCursor: string | null;
}

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

test('a note that is created can be read, and its ETag is that of its version', async () => {
  const created = await owner.send<Note>('POST', '/api/v1/notes', { title: 'Tea', body: 'Buy some.' });
  expect(created).toMatchObject({ status: 201, body: { title: 'Tea', body: 'Buy some.', status: 'open', version: 1 } });
  const read = await owner.get<Note>(`/api/v1/notes/${created.body.id}`);
  expect(read).toMatchObject({ status: 200, body: created.body });
  expect(read.headers.get('etag')).toBe('"1"');
  expect(created.headers.get('etag')).toBe('"1"');
});

test.each([
  ['without a title', { body: 'Buy some.' }],
  ['with a title of spaces', { title: '  ' }],
  ['with a title that is too long', { title: 'x'.repeat(NOTE_TITLE_CHARS_MAX + 1) }],
  ['with an unknown field', { title: 'Tea', colour: 'red' }],
  ['with a status', { title: 'Tea', status: 'done' }],
])('a note %s is refused', async (_, body) => {
  expect(await owner.send('POST', '/api/v1/notes', body)).toMatchObject({ status: 400, body: { code: 'invalid' } });
});

test('the list has every note once, newest first, over all pages', async () => {
  const client = await api.newOwner();
  const ids: number[] = [];
  for (const title of ['one', 'two', 'three', 'four', 'five']) ids.unshift((await write(client, title)).id);
  expect((await pagesOf(client, 'limit=2')).map(({ id }) => id)).toEqual(ids);
});

test('the filter by status is part of the cursor', async () => {
  const client = await api.newOwner();
  const notes = [await write(client, 'one'), await write(client, 'two'), await write(client, 'three')];
  for (const note of notes.slice(0, 2)) await change(client, note, { status: 'done' });

  expect((await pagesOf(client, 'status=open')).map(({ title }) => title)).toEqual(['three']);
  expect((await pagesOf(client, 'status=done&limit=1')).map(({ title }) => title)).toEqual(['two', 'one']);

  const { body } = await client.get<Page>('/api/v1/notes?status=done&limit=1');
  const elsewhere = await client.get(`/api/v1/notes?status=open&limit=1&cursor=${body.nextCursor}`);
  expect(elsewhere).toMatchObject({ status: 400, body: { code: 'invalid' } });
});

test('a change keeps the fields that it leaves out, and answers with the next version', async () => {
  const note = await write(owner, 'Tea', 'Buy some.');
  const changed = await change(owner, note, { status: 'done' });
  expect(changed).toMatchObject({ status: 200, body: { ...kept(note), status: 'done', version: 2 } });
  expect(changed.headers.get('etag')).toBe('"2"');
  expect((await owner.get(`/api/v1/notes/${note.id}`)).body).toEqual(changed.body);
});

test('a change without If-Match is refused with 428', async () => {
  const { id } = await write(owner, 'Tea');
  const refused = await owner.send('PATCH', `/api/v1/notes/${id}`, { title: 'Coffee' });
  expect(refused).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
});

test('a change of an older version is refused with 412, and changes nothing', async () => {
  const note = await write(owner, 'Tea');
  const { body: current } = await change(owner, note, { title: 'Coffee' });
  const refused = await change(owner, note, { title: 'Milk' });
  expect(refused).toMatchObject({ status: 412, body: { code: 'changed_meanwhile' } });
  expect((await owner.get(`/api/v1/notes/${note.id}`)).body).toEqual(current);
});

test('of two changes of one version at once, one wins', async () => {
  const note = await write(owner, 'Tea');
  const answers = await Promise.all(['Coffee', 'Milk'].map((title) => change(owner, note, { title })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  const winner = answers.find(({ status }) => status === 200);
  expect((await owner.get(`/api/v1/notes/${note.id}`)).body).toEqual(winner?.body);
});

test('a note that does not exist is a 404, to read and to change', async () => {
  expect(await owner.get('/api/v1/notes/999999')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  const changed = await change(owner, { id: 999_999, version: 1 }, { title: 'Tea' });
  expect(changed).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

test('a viewer reads notes, and may neither create, change nor export them', async () => {
  const note = await write(owner, 'Tea');
  const viewer = await api.signedIn(owner.orgId, 'viewer');
  expect((await viewer.get('/api/v1/notes')).status).toBe(200);
  expect((await viewer.send('POST', '/api/v1/notes', { title: 'Tea' })).status).toBe(403);
  expect((await change(viewer, note, { title: 'Coffee' })).status).toBe(403);
  expect((await viewer.get('/api/v1/exports/notes.csv')).status).toBe(403);
});

test('the export has every note, oldest first, and defuses formulas', async () => {
  const client = await api.newOwner();
  await write(client, 'First', 'with "quotes", commas\nand lines');
  await write(client, '=1+1');
  const { headers, body } = await client.get<string>('/api/v1/exports/notes.csv');
  expect(headers.get('content-type')).toContain('text/csv');
  expect(headers.get('content-disposition')).toContain('notes.csv');
  const [header, ...rows] = parse(body, { bom: true }) as string[][];
  expect(header).toEqual(['title', 'body', 'status', 'created', 'changed']);
  expect(rows.map((row) => row.slice(0, 3))).toEqual([
    ['First', 'with "quotes", commas\nand lines', 'open'],
    ["'=1+1", '', 'open'],
  ]);
});

async function write(client: ApiClient, title: string, body = ''): Promise<Note> {
  return (await client.send<Note>('POST', '/api/v1/notes', { title, body })).body;
}

function change(client: ApiClient, note: Pick<Note, 'id' | 'version'>, body: Partial<Note>) {
  return client.send<Note>('PATCH', `/api/v1/notes/${note.id}`, body, { 'if-match': `"${note.version}"` });
}

function kept({ id, title, body }: Note) {
  return { id, title, body };
}

async function pagesOf(client: ApiClient, query: string): Promise<Note[]> {
  const seen: Note[] = [];
  let cursor = '';
  do {
    const { body } = await client.get<Page>(`/api/v1/notes?${query}${cursor}`);
    seen.push(...body.items);
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
  } while (cursor !== '');
  return seen;
}
