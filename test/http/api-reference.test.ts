import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, runApi } from '../running-api.ts';

interface Operation {
  readonly summary?: string;
  readonly tags?: string[];
  readonly responses?: Record<string, { content?: Record<string, { schema?: object }>; description?: string }>;
}
type OpenApi = { openapi: string; servers: { url: string }[]; paths: Record<string, Record<string, Operation>> };

let api: RunningApi;
let document: OpenApi;
let operations: { path: string; method: string; operation: Operation }[];
beforeAll(async () => {
  api = await runApi();
  document = (await (await fetch(`${api.url}/docs/openapi.json`)).json()) as OpenApi;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});
afterAll(() => api.stop());

test('the document is OpenAPI 3.1 and says where the api is', () => {
  expect(document.openapi).toMatch(/^3\.1/);
  expect(document.servers).toEqual([{ url: api.url }]);
});

test('it lists every route that the modules declare, and nothing that is not below /api', () => {
  const listed = operations.map(({ path, method }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
  expect(listed.toSorted()).toEqual(declaredRoutes().toSorted());
});

test('every route has a summary, a tag, and a schema for what it answers', () => {
  const lacking = operations.filter(({ operation: { summary, tags, responses = {} } }) => {
    const good = Object.entries(responses).find(([status]) => status.startsWith('2'));
    const answers = good?.[0] === '204' || Object.values(good?.[1].content ?? {}).some(({ schema }) => schema);
    return !summary || !tags?.length || !answers;
  });
  expect(lacking.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('what a route declares is what it refuses without: the body of a registration', () => {
  const body = JSON.stringify(document.paths['/api/registrations']?.['post']);
  for (const field of ['organisation', 'email', 'password']) expect(body).toContain(`"${field}"`);
  expect(body).toContain('"additionalProperties":false');
});

/** Read from the source, so that a route which hides itself from the document is found. */
function declaredRoutes(): string[] {
  return ['campaigns', 'conversations', 'dashboard', 'employees', 'operations', 'organisations'].flatMap((module) => {
    const source = readFileSync(new URL(`../../src/modules/${module}/routes.ts`, import.meta.url), 'utf8');
    return [...source.matchAll(/\.(get|post|put|patch|delete)\(\s*'(\/[^']+)'/g)].map(
      ([, method, path]) => `${method} /api${path}`,
    );
  });
}
