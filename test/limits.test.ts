import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import * as platform from '../src/limits.ts';
import { asAdmin } from './database.ts';
import { moduleFolder, NOTES, TEST_MODULES } from './modules.ts';

interface Limits {
  readonly RELATIONS?: readonly [string, boolean][];
  readonly [name: string]: unknown;
}

/** A pool of 0 says that this process never reads from the replica. */
const MAY_BE_ZERO = ['POOL_REPLICA.chat', 'POOL_REPLICA.migrate'];

/** Not for code: the room that the pools leave in PostgreSQL, compared with the real server below. */
const HELD_BY_A_TEST = ['CONNECTIONS_RESERVED'];

const PROJECT = join(import.meta.dirname, '..');
const files: { file: string; path: string; limits: Limits }[] = [
  { file: 'src/limits.ts', path: join(PROJECT, 'src', 'limits.ts'), limits: platform },
];
for (const { name } of TEST_MODULES) {
  const path = join(moduleFolder(name), 'limits.ts');
  if (!existsSync(path)) continue;
  files.push({ file: `${name}/limits.ts`, path, limits: (await import(/* @vite-ignore */ path)) as Limits });
}

test('the platform has many limits, and the template has some of its own', () => {
  expect(numbersIn(platform).length).toBeGreaterThan(100);
  expect(files.map(({ file }) => file)).toContain(`${NOTES.name}/limits.ts`);
});

describe.each(files)('$file', ({ path, limits }) => {
  test.each(limits.RELATIONS ?? [])('%s', (_, holds) => {
    expect(holds).toBe(true);
  });

  test('every limit is a positive number, because 0, Infinity and NaN limit nothing', () => {
    const numbers = numbersIn(limits);
    expect(numbers.length).toBeGreaterThan(0);
    const wrong = numbers.filter(
      ([name, value]) => !(Number.isFinite(value) && (value > 0 || (value === 0 && MAY_BE_ZERO.includes(name)))),
    );
    expect(wrong).toEqual([]);
  });

  test('every limit limits something', () => {
    const code = sources()
      .filter((source) => source !== path)
      .map((source) => readFileSync(source, 'utf8'))
      .join('\n');
    const unused = namesIn(limits).filter((name) => !new RegExp(`\\b${name}\\b`).test(code));
    expect(unused.filter((name) => !HELD_BY_A_TEST.includes(name))).toEqual([]);
  });
});

/** Lengths of time that bound nothing: each with its reason. */
const NO_LIMITS = [
  'src/process/metrics.ts DELAY_RESOLUTION_MS', // how exactly it measures
  'src/process/paced-drop.ts AHEAD_MS', // how finely it paces
  'src/socket/frame-meter.ts WINDOW_MS', // what SOCKET_PER_10_SECONDS_MAX has in its name
];

test('every wait and every period of the platform has its length in limits.ts', () => {
  const inCode = sources().flatMap((path) => {
    const file = relative(PROJECT, path);
    if (file === 'src/limits.ts' || !/^(?:src(?!\/modules\/)|workers)\//.test(file)) return [];
    const code = readFileSync(path, 'utf8');
    const named = [...code.matchAll(/^const (?!DAY|MINUTE)(\w+_(?:MS|SECONDS)) = \d/gm)].map(
      ([, name]) => `${file} ${name}`,
    );
    const bare = [...code.matchAll(/\b(?:setTimeout|setInterval|sleep)\([^;]*?,? ?\b\d[\d_]+\)/g)];
    return [...named, ...bare.map(([text]) => `${file} ${text}`)];
  });
  expect(inCode.toSorted()).toEqual(NO_LIMITS);
});

test('no limit has two values', () => {
  const owners = Map.groupBy(
    files.flatMap(({ file, limits }) => namesIn(limits).map((name) => ({ name, file }))),
    ({ name }) => name,
  );
  expect([...owners.values()].filter(({ length }) => length > 1)).toEqual([]);
});

test('the pools of all processes fit into PostgreSQL, with room for administrators', async () => {
  const { POOL_PRIMARY, POOL_REPLICA, CONNECTIONS_RESERVED } = platform;
  const separate = (pool: Record<'api' | 'mailer' | 'chat', number>) => pool.api + pool.mailer + pool.chat;
  for (const [url, pool] of [
    [inject('databaseAdminUrl'), POOL_PRIMARY],
    [inject('replicaAdminUrl'), POOL_REPLICA],
  ] as const) {
    const most = await asAdmin(async (client) => {
      const { rows } = await client.query("select current_setting('max_connections')::int as most");
      return rows[0].most as number;
    }, url);
    // While a deployment replaces a process by the next one, both run.
    expect(separate(pool) + Math.max(pool.api, pool.mailer, pool.chat) + CONNECTIONS_RESERVED).toBeLessThanOrEqual(
      most,
    );
    expect(pool.all + CONNECTIONS_RESERVED).toBeLessThanOrEqual(most);
  }
});

function namesIn(limits: Limits): string[] {
  return Object.keys(limits).filter((name) => name !== 'RELATIONS');
}

/** By name; of a limit with several values, each as `NAME.key`. Lists of words are not numbers. */
function numbersIn(limits: Limits): (readonly [string, number])[] {
  return namesIn(limits).flatMap((name) => {
    const value = limits[name];
    if (typeof value === 'number') return [[name, value] as const];
    return Object.entries(value as object).map(([key, part]) => [`${name}.${key}`, part as number] as const);
  });
}

function sources(): string[] {
  return globSync('{src,workers,scripts,template/src}/**/*.ts', { cwd: PROJECT }).map((file) => join(PROJECT, file));
}
