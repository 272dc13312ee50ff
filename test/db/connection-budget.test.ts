import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionBudget, refuseOverBudget } from '../../src/db/connection-budget.ts';
import { StartError } from '../../src/errors.ts';
import { CONNECTIONS_RESERVED, POOL_PRIMARY, POOL_REPLICA } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { LAUNCH, launch } from '../process/launched.ts';
import { testEnvironment } from '../worker.ts';

const log = createLog('test', 'silent');
const ONE_OF_EACH = { api: 1, mailer: 1, chat: 1, all: 0 };
let own: TestDatabase;

beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.close());

test('the budget is pools times instances plus the reserve, said as arithmetic', () => {
  const budget = connectionBudget('primary', { api: 3, mailer: 1, chat: 2, all: 0 }, 100);
  expect(budget.needed).toBe(3 * POOL_PRIMARY.api + POOL_PRIMARY.mailer + 2 * POOL_PRIMARY.chat + CONNECTIONS_RESERVED);
  expect(budget.arithmetic).toBe(
    `api 3 x ${POOL_PRIMARY.api} + mailer 1 x ${POOL_PRIMARY.mailer} + chat 2 x ${POOL_PRIMARY.chat} + ${CONNECTIONS_RESERVED} reserved = ${budget.needed} of 100`,
  );
});

test('a process that never reads from the replica is no term of its budget', () => {
  const { needed, arithmetic } = connectionBudget('replica', ONE_OF_EACH, 100);
  expect(arithmetic).not.toContain('chat');
  expect(needed).toBe(POOL_REPLICA.api + POOL_REPLICA.mailer + CONNECTIONS_RESERVED);
});

test('the normal deployment fits the embedded server', async () => {
  await expect(refuseOverBudget(own.database, ONE_OF_EACH, true, log)).resolves.toBeUndefined();
});

test('one instance too many is refused, one fewer is not: the limit is the server’s own', async () => {
  const { rows } = await sql<{ allowed: number }>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int as allowed`.execute(own.db);
  const allowed = rows[0]?.allowed ?? 0;
  const most = Math.floor((allowed - CONNECTIONS_RESERVED) / POOL_PRIMARY.api);
  const only = (api: number) => ({ api, mailer: 0, chat: 0, all: 0 });
  await expect(refuseOverBudget(own.database, only(most), false, log)).resolves.toBeUndefined();
  await expect(refuseOverBudget(own.database, only(most + 1), false, log)).rejects.toThrow(StartError);
});

test('a start that would pass the limit ends with the arithmetic and what to do', async () => {
  const environment = { ...(await testEnvironment(own)), API_INSTANCES: '100' };
  const { ended, stderr } = launch([LAUNCH, 'api'], environment);
  expect(await ended).toMatchObject({ code: 1 });
  expect(stderr()).toContain(`api 100 x ${POOL_PRIMARY.api} + `);
  expect(stderr()).toContain('Run fewer instances');
});
