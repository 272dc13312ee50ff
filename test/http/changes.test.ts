import { expect, test } from 'vitest';
import { apiDocument } from '../../scripts/api-document.ts';
import { TEST_MODULES } from '../modules.ts';
import type { Operation } from '../openapi.ts';
import { loadTenants } from '../scenarios/tenant.ts';

const tenants = await loadTenants(TEST_MODULES.map(({ name }) => name));
const unversioned: Record<string, string> = Object.assign({}, ...[...tenants.values()].map((one) => one.unversioned));
const { paths } = (await apiDocument(TEST_MODULES)) as unknown as { paths: Record<string, Record<string, Operation>> };
const changes = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([method]) => method === 'put' || method === 'patch')
    .map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);

test('whatever two people can change takes If-Match, or its module says in `unversioned` why it need not', () => {
  const blind = changes.filter(
    ({ name, operation }) => !(name in unversioned) && !operation.parameters?.some((one) => one.name === 'if-match'),
  );
  expect(
    blind.map(({ name }) => `${name}: give it an ETag, with api.tagThing (src/http/optimistic-concurrency.ts)`),
  ).toEqual([]);
  expect(changes.length).toBeGreaterThan(1);
});

test('only changes that there are have a reason to go without it', () => {
  const names = changes.map(({ name }) => name);
  expect(Object.keys(unversioned).filter((name) => !names.includes(name))).toEqual([]);
});
