import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { apiDocument } from '../../scripts/api-document.ts';
import { operationIdOf } from '../../src/http/api-document.ts';
import { exampleOf } from '../../src/http/api-example.ts';
import { MODULES } from '../../src/modules.ts';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, type OpenApi } from '../openapi.ts';

const document = (await apiDocument(TEST_MODULES)) as unknown as OpenApi;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
);

/** What the recommended rules ask for and a document of one service has no use for. */
const NOT_ASKED = {
  'tag-description': 'off', // the tags are the names of the modules
  'no-ambiguous-paths': 'off', // /notes/defaults beside /notes/{id}: the router takes the literal one
} as const;

test('the linter finds nothing to complain about, examples included', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    rules: { ...NOT_ASKED, 'no-invalid-media-type-examples': 'error', 'no-invalid-schema-examples': 'error' },
  });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  expect(problems.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer}: ${message}`)).toEqual([]);
});

test('every operation has a name of its own', () => {
  const names = operations.map(({ operation }) => operation.operationId ?? '');
  expect(names.filter((name) => !/^[a-z][A-Za-z\d]+$/.test(name))).toEqual([]);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  expect(twice.map((name) => `${name}: give one of the routes an operationId in its schema`)).toEqual([]);
});

test.each([
  ['GET', '/api/v1/notes', 'getNotes'],
  ['GET', '/api/v1/notes/:id', 'getNote'],
  ['POST', '/api/v1/notes/:id/archive', 'postNoteArchive'],
  ['GET', '/api/v1/exports/notes.csv', 'getExportsNotesCsv'],
  ['DELETE', '/api/v1/due-dates/:id', 'deleteDueDate'],
])('%s %s is called %s', (method, url, name) => {
  expect(operationIdOf(method, url)).toBe(name);
});

test('every operation has an example of what it takes and of what it gives', () => {
  const lacking = operations.filter(({ operation: { requestBody, responses = {} } }) => {
    const media = [requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {}));
    return media.some(({ example }) => example === undefined);
  });
  expect(lacking.map(({ route }) => route)).toEqual([]);
});

test('a refusal for too many requests says when to come back, and by which limit', () => {
  const { responses } = document.components as { responses: Record<string, { headers?: object }> };
  expect(Object.keys(responses['429']?.headers ?? {})).toEqual(['retry-after', 'ratelimit-policy', 'ratelimit']);
  expect(Object.keys(responses['503']?.headers ?? {})).toEqual(['retry-after']);
});

test('every operation says what it is answered with when something is wrong', () => {
  for (const { route, operation } of operations) {
    const statuses = Object.keys(operation.responses ?? {});
    for (const status of ['400', '429', '500', '503']) expect(statuses, route).toContain(status);
    if (operation.security === undefined) expect(statuses, route).toContain('401');
    if (route.includes('{')) expect(statuses, route).toContain('404');
  }
});

test('every POST but mail events takes an Idempotency-Key, and no other operation does', () => {
  const takes = operations.filter(({ operation }) =>
    operation.parameters?.some(({ name }) => name === 'idempotency-key'),
  );
  const should = operations.filter(({ route }) => route.startsWith('POST') && route !== 'POST /api/v1/mail-events');
  expect(takes.map(({ route }) => route)).toEqual(should.map(({ route }) => route));
  expect(should.length).toBeGreaterThan(0);
});

test('the first tag of an operation is its module', () => {
  const modules = modulesByRoute(TEST_MODULES.map(({ name }) => name));
  const wrong = operations.filter(({ route, operation }) => operation.tags?.[0] !== modules.get(route));
  expect(wrong.map(({ route, operation }) => `${route}: ${operation.tags}`)).toEqual([]);
});

test('what is streamed lies where it gets its place last under overload', () => {
  const streamed = operations.filter(({ operation: { responses = {} } }) =>
    Object.entries(responses).some(
      ([status, { content = {} }]) =>
        status.startsWith('2') && Object.keys(content).some((type) => !type.includes('json')),
    ),
  );
  expect(streamed.length).toBeGreaterThan(0);
  for (const { route } of streamed) expect(route).toMatch(/^GET \/api\/v1\/exports\//);
});

test('the document is made without a server, and is the one that the server shows', async () => {
  const { paths } = (await apiDocument(MODULES)) as unknown as OpenApi;
  for (const path of Object.keys(paths)) expect(document.paths).toHaveProperty([path]);
});

test.each([
  [{ type: 'string', maxLength: 3 }, 'Tit'],
  [{ type: 'string', examples: ['own'] }, 'own'],
  [{ anyOf: [{ type: 'null' }, { type: 'integer', minimum: 4 }] }, 4],
  [{ type: ['string', 'null'], maxLength: 3 }, 'Tit'],
  [{ type: 'object', properties: { fileName: { type: 'string' } } }, { fileName: 'File name' }],
  [{ type: 'array', items: { enum: ['open'] } }, ['open']],
])('an example follows from the schema: %j', (schema, example) => {
  expect(exampleOf(schema, 'title')).toEqual(example);
});
