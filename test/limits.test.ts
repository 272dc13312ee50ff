import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import * as limits from '../src/limits.ts';
import { asAdmin } from './database.ts';

/** A pool of 0 says that this process never reads from the replica. */
const MAY_BE_ZERO = ['POOL_REPLICA.chat', 'POOL_REPLICA.migrate'];

/** Not for code: the room that the pools leave in PostgreSQL, held against the real server below. */
const HELD_BY_A_TEST = ['CONNECTIONS_RESERVED'];

const { RELATIONS, ...byName } = limits;

test.each(RELATIONS)('%s', (_, holds) => {
  expect(holds).toBe(true);
});

test('every limit is a positive number: 0, Infinity or NaN would be no limit at all', () => {
  const numbers = Object.entries(byName).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as const]
      : Object.entries(value).map(([key, part]) => [`${name}.${key}`, part] as const),
  );
  expect(numbers.length).toBeGreaterThan(100);
  const wrong = numbers.filter(
    ([name, value]) => !(Number.isFinite(value) && (value > 0 || (value === 0 && MAY_BE_ZERO.includes(name)))),
  );
  expect(wrong).toEqual([]);
});

test('every limit limits something', () => {
  const code = ['src', 'workers', 'scripts']
    .flatMap((folder) => sources(folder))
    .filter((file) => !file.endsWith('src/limits.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const unused = Object.keys(byName).filter((name) => !new RegExp(`\\b${name}\\b`).test(code));
  expect(unused.filter((name) => !HELD_BY_A_TEST.includes(name))).toEqual([]);
});

test('the pools of all processes fit into PostgreSQL, with room for whoever comes to look', async () => {
  const { POOL_PRIMARY, POOL_REPLICA, CONNECTIONS_RESERVED } = limits;
  const separate = (pool: Record<'api' | 'mailer' | 'chat', number>) => pool.api + pool.mailer + pool.chat;
  for (const [url, pool] of [
    [inject('databaseAdminUrl'), POOL_PRIMARY],
    [inject('replicaAdminUrl'), POOL_REPLICA],
  ] as const) {
    const most = await asAdmin(async (client) => {
      const { rows } = await client.query("select current_setting('max_connections')::int as most");
      return rows[0].most as number;
    }, url);
    // While a deployment replaces a process by the next one, both are there.
    expect(separate(pool) + Math.max(pool.api, pool.mailer, pool.chat) + CONNECTIONS_RESERVED).toBeLessThanOrEqual(
      most,
    );
    expect(pool.all + CONNECTIONS_RESERVED).toBeLessThanOrEqual(most);
  }
});

function sources(folder: string): string[] {
  const root = join(import.meta.dirname, '..', folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(root, file));
}
