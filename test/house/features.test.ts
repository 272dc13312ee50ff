import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './source-graph.ts';

/** `file`: “name of the test”; the name may be left out where the whole file is about the feature. */
const NAMED = /`(test\/[^`]+\.test\.ts)`(?:: “([^”]+)”)?/g;

test('every feature that is said to be there names a test that exists', () => {
  const rows = globSync('docs/**/features.md', { cwd: ROOT })
    .flatMap((page) => readFileSync(join(ROOT, page), 'utf8').split('\n'))
    .filter((line) => /^\| (?!feature|-)/.test(line) && !/\| no \|/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => !row.match(NAMED))).toEqual([]);
  expect(rows.flatMap((row) => [...row.matchAll(NAMED)]).filter(([, file = '', name]) => !has(file, name))).toEqual([]);
});

function has(file: string, name: string | undefined): boolean {
  const path = join(ROOT, file);
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'utf8').replace(/\btest\.skipIf\(.*\)\(\s*/g, 'test(');
  return name === undefined || text.includes(`test('${name}'`);
}
