import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../../scripts/seed.ts';
import { verifyDatabase } from '../../scripts/verify/verify-database.ts';
import { MODULES } from '../../src/modules.ts';
import { asAdmin, createTestDatabase, type TestDatabase } from '../database.ts';
import { testFolder } from '../modules.ts';

const SCALE = 0.02;

let seeded: TestDatabase;
beforeAll(async () => {
  seeded = await createTestDatabase({ replica: false });
  await seed(seeded.ownerUrl, { scale: SCALE });
});
afterAll(() => seeded.close());

test('in a database that is as the product writes it every rule holds', async () => {
  const verdicts = await verifyDatabase(seeded.ownerUrl);
  expect(verdicts.filter(({ faults }) => faults.length > 0)).toEqual([]);
  expect(verdicts.map(({ rule }) => rule)).toContain('no id will be given out twice');
});

test('every rule of every module finds the fault that is planted for it', async () => {
  const rules = new Set<string>();
  await asAdmin(async (client) => {
    for (const { name, consistency } of MODULES) {
      const faults = await faultsPlantedBy(name);
      for (const [rule, { holds }] of Object.entries((await consistency?.())?.consistency ?? {})) {
        const planted = await client.query(faults[rule] ?? `select '${rule} of ${name} has no planted fault'::int`);
        expect(planted.rowCount, `${rule} of ${name}`).toBeGreaterThan(0);
        rules.add(`${name}: ${holds}`);
      }
    }
    await client.query("select setval(pg_get_serial_sequence('organisations', 'id'), 1, false)");
    rules.add('ids: no id will be given out twice');
  }, seeded.ownerUrl);
  const found = (await verifyDatabase(seeded.ownerUrl)).filter(({ faults }) => faults.length > 0);
  expect(new Set(found.map(({ module, rule }) => `${module}: ${rule}`))).toEqual(rules);
});

test('a role that does not see all rows is told so, instead of finding nothing wrong', async () => {
  await expect(verifyDatabase(seeded.url)).rejects.toThrow(/permission denied|row-level security/);
});

/** By rule: statements, run without triggers. */
async function faultsPlantedBy(noun: string): Promise<Record<string, string>> {
  const file = join(testFolder(noun), 'inconsistencies.ts');
  return existsSync(file) ? (await import(/* @vite-ignore */ file)).inconsistencies : {};
}
