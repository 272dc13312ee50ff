import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkOut, copyHere } from '../../../bench/ab/copies.ts';
import { ROOT, SEEDED } from '../../../bench/working-tree.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'tardigrade-ab-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const here = (name: string) => readFileSync(join(ROOT, name), 'utf8');

test('what is checked out here is copied, with the packages and the seeded data of this place behind links', () => {
  const { root, remove } = copyHere(place);
  expect(readFileSync(join(root, 'src', 'limits.ts'), 'utf8')).toBe(here('src/limits.ts'));
  expect(existsSync(join(root, 'bench', 'results'))).toBe(false);
  for (const name of ['node_modules', SEEDED]) expect(lstatSync(join(root, name)).isSymbolicLink(), name).toBe(true);
  remove();
  expect(existsSync(root)).toBe(false);
  for (const name of ['node_modules/node', SEEDED]) expect(existsSync(join(ROOT, name)), name).toBe(true);
});

test('another version comes as it was, with the bench and the limits of this one, and goes without a trace', () => {
  const { root, remove } = checkOut('HEAD', place);
  expect(readFileSync(join(root, 'bench', 'ab', 'side.ts'), 'utf8')).toBe(here('bench/ab/side.ts'));
  expect(readFileSync(join(root, 'docker-compose.yml'), 'utf8')).toBe(here('docker-compose.yml'));
  expect(existsSync(join(root, 'src', 'config.ts'))).toBe(true);
  writeFileSync(join(root, 'left-over'), '');
  remove();
  expect(existsSync(root)).toBe(false);
  expect(existsSync(join(ROOT, 'node_modules', 'node'))).toBe(true);
});

test('a place that is taken is said, and left as it is', () => {
  const { root, remove } = copyHere(place);
  expect(() => copyHere(place)).toThrow(/is there already: another run uses it/);
  expect(existsSync(join(root, 'package.json'))).toBe(true);
  remove();
});

test('a version that git does not know is said', () => {
  expect(() => checkOut('no-such-version', place)).toThrow('git knows no version called no-such-version.');
});
