import { afterAll, beforeAll, expect, test } from 'vitest';
import { suppressAddresses, suppressedAmong, suppressionsOf } from '../../../src/modules/suppressions/suppressions.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';

const ADDRESSES = ['gone@x.test', 'here@x.test', 'lifted@x.test'];

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  orgId = await addOrganisation(on.db);
  await suppress(orgId, ['gone@x.test', 'lifted@x.test']);
  const lifted = { lifted_at: new Date(), lifted_by: 'Ada' };
  await on.db.updateTable('suppressions').set(lifted).where('address', '=', 'lifted@x.test').execute();
});
afterAll(() => on.close());

test('of many addresses those are found that are suppressed now', async () => {
  expect(await among(orgId, ADDRESSES)).toEqual(new Set(['gone@x.test']));
  expect(await among(orgId, [])).toEqual(new Set());
});

test('what one organisation suppresses is not suppressed in another one', async () => {
  expect(await among(await addOrganisation(on.db), ADDRESSES)).toEqual(new Set());
});

test('all that is kept about an address is told, lifted or not, and nothing that another organisation keeps', async () => {
  await suppress(orgId, ['lifted@x.test']);
  await suppress(await addOrganisation(on.db), ['lifted@x.test']);
  const { value: kept } = await on.database.write(orgId, (transaction) =>
    suppressionsOf(transaction, orgId, 'lifted@x.test', 10),
  );
  expect(kept.map(({ address, liftedBy }) => [address, liftedBy])).toEqual([
    ['lifted@x.test', 'Ada'],
    ['lifted@x.test', null],
  ]);
});

async function suppress(orgId: number, addresses: readonly string[]): Promise<void> {
  const rows = addresses.map((address) => ({ address, reason: 'bounce' as const, detail: 'gone' }));
  await on.database.write(orgId, (transaction) => suppressAddresses(transaction, orgId, rows));
}

async function among(orgId: number, addresses: readonly string[]): Promise<ReadonlySet<string>> {
  const { value } = await on.database.write(orgId, (transaction) => suppressedAmong(transaction, orgId, addresses));
  return value;
}
