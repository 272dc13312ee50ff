import { Client } from 'pg';
import { inject } from 'vitest';
import { type Fault, fewestFaults, withoutOrganisation } from '../../../scripts/query-plans/faults.ts';
import { type Catalog, pretendRows, readCatalog, waysOf } from '../../../scripts/query-plans/plan.ts';
import type { SmallGroup } from '../../../scripts/query-plans/small-groups.ts';
import type { Statement } from '../../../scripts/query-plans/statements.ts';
import { createTestDatabase } from '../../database.ts';

export interface Planning {
  /** The superuser's: it takes every role. */
  readonly client: Client;
  readonly catalog: Catalog;
  faultsIn(statement: Statement): Promise<Fault[]>;
  close(): Promise<void>;
}

/** A migrated database of the caller's own that seems to have rows; `ddl` adds tables to it. */
export async function openPlanning(smallGroups: readonly SmallGroup[], ddl = ''): Promise<Planning> {
  const on = await createTestDatabase({ replica: false });
  const url = new URL(inject('databaseAdminUrl'));
  url.pathname = new URL(on.ownerUrl).pathname;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(ddl);
  await pretendRows(client);
  const catalog = await readCatalog(client, smallGroups);
  return {
    client,
    catalog,
    async faultsIn({ sql, roles }) {
      const faults: Fault[] = [];
      for (const role of roles) faults.push(...fewestFaults(sql, await waysOf(client, sql, role), catalog));
      if (roles.includes('tenant')) {
        const [bare] = await waysOf(client, sql, 'owner');
        if (bare !== undefined) faults.push(...withoutOrganisation(bare, catalog));
      }
      return faults;
    },
    async close() {
      await client.end();
      await on.close();
    },
  };
}
