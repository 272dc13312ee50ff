import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import createClient from 'openapi-fetch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Paths } from '../../src/http/paths.ts';
import { sourceFiles } from '../house/source-graph.ts';
import { operationsOf } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('a client made from the types writes, reads, changes and is refused', async () => {
  const { token } = await api.newOwner();
  const client = createClient<Paths>({ baseUrl: api.url, headers: { authorization: `Bearer ${token}` } });
  const written = await client.POST('/api/v1/notes', { body: { title: 'Weekly' } });
  const id = written.data?.id as number;
  expect(written.data).toMatchObject({ title: 'Weekly', status: 'open' });

  const at = { path: { id } };
  const readAfter = written.response.headers.get('read-after') as string;
  const read = await client.GET('/api/v1/notes/{id}', {
    params: { path: at.path },
    headers: { 'read-after': readAfter },
  });
  expect(read.data?.title).toBe('Weekly');
  const etag = read.response.headers.get('etag') as string;
  const header = { 'if-match': etag };
  const changed = await client.PATCH('/api/v1/notes/{id}', { params: { ...at, header }, body: { status: 'done' } });
  expect(changed.data?.status).toBe('done');
  const late = await client.PATCH('/api/v1/notes/{id}', { params: { ...at, header }, body: { status: 'open' } });
  expect(late.error).toMatchObject({ status: 412, code: 'changed_meanwhile' });

  // @ts-expect-error the types know what a note has
  const refused = await client.POST('/api/v1/notes', { body: { name: 'Weekly' } });
  expect(refused.error?.code).toBe('invalid');
});

/** What the pages call is held to the document by types (page-calls.ts), but a link is a text to them: an export, a download. */
test('every address that the pages call or link to is one of the document', async () => {
  const known = new Set((await operationsOf(api.url)).map(({ path }) => path.replace(/\{\w+\}/g, '*')));
  const called = sourceFiles('web', 'template/web').flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8').matchAll(ADDRESS)].map(
      ([, address = '']) => ({
        file,
        address: address.replace(/\$\{[^}]*\}/g, '*'),
      }),
    ),
  );
  expect(called.length).toBeGreaterThan(5);
  const wrong = called.filter(({ address }) => ![...known].some((path) => matches(path, address)));
  expect(wrong).toEqual([]);
});

const ADDRESS = /['"`](\/api\/v1\/(?:[\w./-]|(?<=\/)\$\{[^}]*\})*)/g;

/** A part of an address that is put together (`${verb}`) can be any part. */
function matches(path: string, address: string): boolean {
  const [parts, asked] = [path.split('/'), address.split('/')];
  return (
    parts.length === asked.length && parts.every((part, at) => part === asked[at] || part === '*' || asked[at] === '*')
  );
}
