import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  connectionBudget,
  connectionsAllowed,
  countInstances,
  type Instances,
  refuseOneTooMany,
  refuseOverBudget,
} from '../../src/db/connection-budget.ts';
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
  const allowed = await connectionsAllowed(own.db);
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

test('of what was told and what runs the larger number counts, by process', () => {
  const running = { api: 3, mailer: 0, chat: 1, all: 0 };
  expect(countInstances({ api: 1, mailer: 1, chat: 2, all: 0 }, running)).toEqual({
    api: 3,
    mailer: 1,
    chat: 2,
    all: 0,
  });
});

test('an all of which nobody was told stands in for one of each; one that was told is what it is', () => {
  const running = { api: 0, mailer: 0, chat: 0, all: 1 };
  expect(countInstances(ONE_OF_EACH, running)).toEqual(running);
  expect(countInstances({ ...ONE_OF_EACH, all: 1 }, running)).toEqual({ ...ONE_OF_EACH, all: 1 });
});

/** An api that starts on a server where so many have started before it. */
async function join(told: number, before: (number | undefined)[], crowdedMs = 0): Promise<void> {
  const instances = (api: number): Instances => ({ api, mailer: 0, chat: 0, all: 0 });
  const asked = [...before];
  const runningBefore = async () => {
    const count = asked.length > 1 ? asked.shift() : asked[0];
    return count === undefined ? undefined : instances(count);
  };
  await refuseOneTooMany(own.database, { name: 'api', told: instances(told), runningBefore }, log, crowdedMs);
}

/** With every connection of their pools, and none of the reserve. */
const mostThatFit = async () => Math.floor((await connectionsAllowed(own.db)) / POOL_PRIMARY.api);

test('a process that was added is let in while its pool finds room beside those before it, and then refused', async () => {
  const most = await mostThatFit();
  await expect(join(1, [most - 1])).resolves.toBeUndefined();
  await expect(join(1, [most])).rejects.toThrow(
    `leave no connections of the primary for one more api: api ${most + 1} x ${POOL_PRIMARY.api} + `,
  );
});

test('a process that was told of starts however many others run: what was told fits already', async () => {
  const most = await mostThatFit();
  await expect(join(most + 10, [most + 5])).resolves.toBeUndefined();
});

test('what nobody knows refuses nobody', async () => {
  await expect(join(1, [undefined])).resolves.toBeUndefined();
});

test('a process waits for those that have died to be forgotten', async () => {
  const most = await mostThatFit();
  await expect(join(1, [most, most, most - 1], 10_000)).resolves.toBeUndefined();
});

test('wherever one is refused, those that run already reach into the reserve, which the alert is about', () => {
  for (let allowed = 20; allowed < 60; allowed++)
    for (let api = 0; api < 10; api++)
      for (const name of ['api', 'mailer', 'chat', 'all'] as const) {
        const running = { ...ONE_OF_EACH, api };
        const withOneMore = connectionBudget('primary', { ...running, [name]: running[name] + 1 }, allowed).needed;
        const isRefused = withOneMore - CONNECTIONS_RESERVED > allowed;
        if (isRefused) expect(connectionBudget('primary', running, allowed).needed).toBeGreaterThan(allowed);
      }
});
