import { afterAll, beforeAll, expect, test } from 'vitest';
import { TEST_MODULES } from '../modules.ts';
import { modulesByRoute, type OpenApi, openApiOf, operationsOf, type PathOperation } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';

let api: RunningApi;
let document: OpenApi;
let operations: PathOperation[];
beforeAll(async () => {
  api = await runApi();
  document = await openApiOf(api.url);
  operations = await operationsOf(api.url);
});
afterAll(() => api.stop());

test('the document is OpenAPI 3.1 and names the address of the api', () => {
  expect(document.openapi).toMatch(/^3\.1/);
  expect(document.servers).toEqual([{ url: api.url }]);
});

test('it lists every route that the modules declare, and nothing outside /api', () => {
  const listed = operations.map(({ path, method }) => `${method} ${path}`);
  // Read from the source, so that a route which hides itself from the document is found.
  const declared = modulesByRoute(TEST_MODULES.map(({ name }) => name));
  expect(listed.toSorted()).toEqual([...declared.keys()].toSorted());
});

test('every route has a summary, a tag and a schema of its answer', () => {
  const lacking = operations.filter(({ operation: { summary, tags, responses = {} } }) => {
    const good = Object.entries(responses).find(([status]) => status.startsWith('2'));
    const answers = good?.[0] === '204' || Object.values(good?.[1].content ?? {}).some(({ schema }) => schema);
    return !summary || !tags?.length || !answers;
  });
  expect(lacking.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('the document declares what the route enforces: the body of a registration', () => {
  const body = JSON.stringify(document.paths['/api/v1/registrations/confirmations']?.['post']);
  for (const field of ['token', 'organisation', 'name', 'password']) expect(body).toContain(`"${field}"`);
  expect(body).toContain('"additionalProperties":false');
});
