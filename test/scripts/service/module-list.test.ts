import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIST_FILE, withEntry, withoutEntry } from '../../../scripts/service/module-list.ts';
import { PRODUCT } from '../../../src/modules.ts';

const LIST = readFileSync(join(import.meta.dirname, '..', '..', '..', LIST_FILE), 'utf8');
const EMPTY = PRODUCT.reduce((list, { name }) => withoutEntry(list, name), LIST);

test('an entry that was added and taken away leaves the list as it was', () => {
  const more = withEntry(LIST, 'zebras', ['routes', 'jobs']);
  expect(more).toContain("routes: () => import('./modules/zebras/routes.ts'),");
  expect(withoutEntry(more, 'zebras')).toBe(LIST);
});

test('each entry can be taken away, also the last one, and the platform stays', () => {
  expect(EMPTY).toMatch(/PRODUCT: readonly Module\[\] = \[\];/);
  expect(EMPTY).toContain("name: 'operations'");
});

test('a list that is empty takes an entry again', () => {
  expect(withEntry(EMPTY, 'zebras', ['routes'])).toMatch(
    /PRODUCT: readonly Module\[\] = \[\n {2}\{\n {4}name: 'zebras',/,
  );
});

test('a module that is not in the list, or is of the platform, is not taken away', () => {
  expect(() => withoutEntry(LIST, 'nobody')).toThrow('no entry for nobody');
  expect(() => withoutEntry(LIST, 'operations')).toThrow('no entry for operations');
});
