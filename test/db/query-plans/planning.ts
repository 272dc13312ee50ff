import { Client } from 'pg';
import { inject } from 'vitest';
import { comparedBatches, fewestFaults, withoutOrganisation } from '../../../scripts/query-plans/faults.ts';
import type { SmallGroup } from '../../../scripts/query-plans/module-plans.ts';
import {
  type Catalog,
  planByLoops,
  pretendOneRowEach,
  pretendRows,
  readCatalog,
  waysOf,
} from '../../../scripts/query-plans/plan.ts';
import type { Fault } from '../../../scripts/query-plans/rules.ts';
import type { Statement } from '../../../scripts/query-plans/statements.ts';
import { createTestDatabase } from '../../database.ts';

export interface Planning {
  /** The superuser's: it takes every role. */
  readonly client: Client;
  readonly catalog: Catalog;
  faultsIn(statement: Statement): Promise<Fault[]>;
  close(): Promise<void>;
}

/** Migrated databases of the caller's own, which seem to have rows; `ddl` adds tables to them. */
export async function openPlanning(smallGroups: readonly SmallGroup[], ddl = ''): Promise<Planning> {
  const [some, oneEach] = await Promise.all([openScratch(ddl, pretendRows), openScratch(ddl, pretendOneRowEach)]);
  const { client } = some;
  const catalog = await readCatalog(client, smallGroups);
  return {
    client,
    catalog,
    async faultsIn({ sql, roles }) {
      const faults: Fault[] = [];
      for (const role of roles) {
        faults.push(...fewestFaults(sql, await waysOf(client, sql, role), catalog));
        faults.push(...comparedBatches(await planByLoops(oneEach.client, sql, role), catalog));
      }
      if (roles.includes('tenant')) {
        const [bare] = await waysOf(client, sql, 'owner');
        if (bare !== undefined) faults.push(...withoutOrganisation(bare, catalog));
      }
      return faults;
    },
    close: async () => void (await Promise.all([some.close(), oneEach.close()])),
  };
}

async function openScratch(ddl: string, pretend: (client: Client) => Promise<void>) {
  const on = await createTestDatabase({ replica: false });
  const url = new URL(inject('databaseAdminUrl'));
  url.pathname = new URL(on.ownerUrl).pathname;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(ddl);
  await pretend(client);
  return {
    client,
    async close() {
      await client.end();
      await on.close();
    },
  };
}
