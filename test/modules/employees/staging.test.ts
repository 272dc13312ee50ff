import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyDatabase } from '../../../scripts/staging/copy-database.ts';
import { markDatabase } from '../../../scripts/staging/mark.ts';
import { MODULES } from '../../../src/modules.ts';
import { loadPersonalData } from '../../../workers/parts/modules.ts';
import { adminUrlOf, createTestDatabase, type TestDatabase } from '../../database.ts';
import { TEST_MODULES } from '../../modules.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { loadTenant } from '../../scenarios/tenant.ts';
import { tablesWith } from '../../tables-with.ts';

const MARK = 'mark-of-a-customer';

let api: RunningApi;
let copy: TestDatabase;
beforeAll(async () => {
  api = await runApi();
  copy = await createTestDatabase({ replica: false });
});
afterAll(async () => {
  await copy.close();
  await api.stop();
});

test('in a copy for staging no table has a text of a person, or of their organisation', async () => {
  const owner = await api.newOwner();
  let ids = {};
  const party = { orgId: owner.orgId, client: owner, database: api.database, mark: MARK };
  for (const { name } of TEST_MODULES) {
    const tenant = await loadTenant(name);
    ids = { ...ids, ...(await tenant?.arrange({ ...party, ids })) };
  }
  const { staying } = ids as { staying: number };
  const held = await Promise.all(
    Object.entries(await loadPersonalData(MODULES)).map(async ([table, rowsOf]) => ({
      table,
      rows: await rowsOf(api.database.db, owner.orgId, staying),
    })),
  );
  for (const { table, rows } of held) expect(rows.length, table).toBeGreaterThan(0);

  await markDatabase(adminUrlOf(copy));
  await copyDatabase({ from: api.database.ownerUrl, to: adminUrlOf(copy), password: 'known', modules: TEST_MODULES });

  expect(await tablesWith(api.database.db, MARK)).not.toEqual([]);
  expect(await tablesWith(copy.db, MARK)).toEqual([]);
  const texts = held.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)).filter(isOwnText));
  expect(texts.length).toBeGreaterThan(2);
  for (const text of texts) expect(await tablesWith(copy.db, text), text).toEqual([]);
});

/** The words of the program (`sent`, `bot`) have no space, and no address has one either. */
function isOwnText(value: unknown): value is string {
  return typeof value === 'string' && /[ @]/.test(value);
}
