import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PRODUCT } from '../../src/modules.ts';
import { testFolder } from '../modules.ts';
import { ROOT } from './source-graph.ts';

/** May name any module: the list itself, what tells readers about the whole product, and what tools write. */
const MAY_NAME_ALL = /^(?:src\/modules\.ts|README\.md|CHANGELOG\.md|package(?:-lock)?\.json|bench\/results\/.*)$/;

/** The commands that make and remove modules, which need a noun as an example, and their tests. */
const SHOWS_COMMANDS = /^(?:scripts|test\/scripts)\/service\//;
const COMMAND = /\b(?:new|remove):module -- \w+/g;

const nouns = PRODUCT.map(({ name }) => name);
const words = new Map<string, readonly string[]>();
for (const noun of nouns) {
  const file = join(testFolder(noun), 'words.ts');
  if (existsSync(file)) words.set(noun, ((await import(/* @vite-ignore */ file)) as { words: string[] }).words);
}
const texts = trackedFiles()
  .filter((file) => !MAY_NAME_ALL.test(file) && !SHOWS_COMMANDS.test(file))
  .map((file) => ({ file, text: withoutNames(readFileSync(join(ROOT, file), 'utf8')) }))
  .filter(({ text }) => !text.includes('\0'));

test('every module of the product says which words are its own', () => {
  const silent = nouns.filter((noun) => !words.has(noun));
  const advice = 'export const words: readonly string[], regular expressions without regard to case';
  expect(silent.map((noun) => `write test/modules/${noun}/words.ts: ${advice}`)).toEqual([]);
  expect(texts.length).toBeGreaterThan(200);
});

for (const [noun, own] of words) {
  test(`the words of ${noun} are only in its own places and in those of modules that build on it`, () => {
    const pattern = new RegExp(own.join('|'), 'i');
    const homes = nouns.slice(nouns.indexOf(noun));
    const strays = texts
      .filter(({ file }) => !homes.some((home) => file.includes(home)))
      .flatMap(({ file, text }) => linesWith(pattern, text).map((line) => `${file}:${line}`));
    expect(strays).toEqual([]);
  });
}

/** The service may be named after one of its own nouns. */
function withoutNames(text: string): string {
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string };
  const service = new RegExp(name.replaceAll('-', '[-_ ]'), 'gi');
  return text.replaceAll(service, '').replaceAll(COMMAND, '');
}

function linesWith(pattern: RegExp, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, at) => (pattern.test(line) ? [`${at + 1}: ${line.trim().slice(0, 120)}`] : []));
}

/** What git knows; in a copy without git, everything that is not ignored by habit. */
function trackedFiles(): string[] {
  try {
    return execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\0')
      .filter((file) => file !== '' && isFile(file));
  } catch {
    const skipped = /(?:^|\/)(?:node_modules|dist|\.git|\.tardigrade)(?:\/|$)/;
    return globSync('**/*', { cwd: ROOT, exclude: (path: string) => skipped.test(path) }).filter(isFile);
  }
}

function isFile(file: string): boolean {
  return existsSync(join(ROOT, file)) && statSync(join(ROOT, file)).isFile();
}
