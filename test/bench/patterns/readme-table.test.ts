import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pairSlugs } from '../../../bench/patterns/pairs.ts';
import { patternTable, readmeParts } from '../../../bench/patterns/readme-table.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const kept = JSON.parse(readFileSync(join(ROOT, 'bench/results/patterns.json'), 'utf8'));

test('the run that is kept is one of all pairs', () => {
  expect(kept.patterns.map(({ slug }: { slug: string }) => slug)).toEqual(pairSlugs());
});

test("the README's table is made of the run that is kept", async () => {
  const [, table] = readmeParts(join(ROOT, 'README.md'));
  expect(table.trim()).toBe((await patternTable(kept.patterns)).trim());
});

test('every file that the table links to exists', async () => {
  const links = [...(await patternTable(kept.patterns)).matchAll(/\]\(([^)]+)\)/g)].map(([, file = '']) => file);
  expect(links.length).toBeGreaterThan(30);
  expect(links.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
