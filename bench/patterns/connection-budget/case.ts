import { createHash } from 'node:crypto';
import { Client } from 'pg';
import type { Config } from '../../../src/config.ts';
import type { Db } from '../../../src/db/database.ts';
import { StartError, sqlState } from '../../../src/errors.ts';
import { PAGE_ROWS_DEFAULT, POOL_PRIMARY } from '../../../src/limits.ts';
import { employeesPage } from '../../../src/modules/employees/queries.ts';
import { createHistogram, percentileMs, recordMs } from '../../load/latency.ts';
import { benchOrganisation } from '../bench-organisation.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export type Instance = { readonly db: Db; close(): Promise<void> };
type Variant = { startInstances(url: string, count: number): Promise<Instance[]> };
type Input = { readonly instances: number; readonly clients: number; readonly requestsEach: number };

/** What is found in many a configuration. */
export const POOL_OF_MANY = 100;

const SIZE = { conversations: 200_000, answersEach: 5 };
const [INSTANCES, CLIENTS, REQUESTS_EACH] = [4, 200, 20];
/** More than fit into the server's max_connections, however small their pools. */
const INSTANCES_TOO_MANY = 40;
const [POOL_SMALL, POOL_LARGE, ROUNDS] = [POOL_PRIMARY.api, 30, 3];
const TOO_MANY_CONNECTIONS = '53300';

export const pattern: PatternCase<Variant, Input> = {
  slug: 'connection-budget',
  asks: `${INSTANCES} instances answer ${CLIENTS} clients at once, ${REQUESTS_EACH} lists each, from one small server.`,
  breaks: 'requests are refused a connection',
  holds: `every request is answered, and a deployment of ${INSTANCES_TOO_MANY} instances does not start`,
  needs: ['database'],
  small: { instances: 1, clients: 5, requestsEach: 2 },
  full: { instances: INSTANCES, clients: CLIENTS, requestsEach: REQUESTS_EACH },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform({ startInstances }, input, { databaseUrl }) {
    const orgId = await benchOrganisation(databaseUrl, SIZE);
    const instances = await startInstances(databaseUrl, input.instances);
    const visitor = visit(databaseUrl);
    const { digest, ...answers } = await askAll(instances, orgId, input);
    const visits = await visitor.stop();
    await Promise.all(instances.map((instance) => instance.close()));
    const startsTooMany = (await starts(startInstances, databaseUrl)) ? 1 : 0;
    // Where nobody is refused, what does a larger pool do for those who wait?
    const sizes = input.instances > 1 && answers.refused === 0 ? await comparePools(databaseUrl, orgId, input) : {};
    return { digest, figures: { ...answers, ...visits, startsTooMany, ...sizes } };
  },

  isBroken: (naive) => (naive.figures.refused ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.answered === CLIENTS * REQUESTS_EACH &&
    figures.visitsRefused === 0 &&
    figures.startsTooMany === 0,
};

export function onlyApi(count: number): Config['instances'] {
  return { api: count, mailer: 0, chat: 0, all: 0 };
}

/** Each client asks again as soon as it has its answer; a refusal is an answer, too. */
async function askAll(instances: readonly Instance[], orgId: number, { clients, requestsEach }: Input) {
  const latency = createHistogram();
  const digests = new Set<string>();
  let refused = 0;
  async function ask(db: Db): Promise<void> {
    const begun = performance.now();
    try {
      const rows = await employeesPage(db, orgId, {}, 0, PAGE_ROWS_DEFAULT);
      recordMs(latency, performance.now() - begun);
      digests.add(digestOf(rows));
    } catch (error) {
      if (sqlState(error) !== TOO_MANY_CONNECTIONS) throw error;
      refused++;
    }
  }
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      const { db } = instances[client % instances.length] as Instance;
      for (let request = 0; request < requestsEach; request++) await ask(db);
    }),
  );
  return {
    digest: [...digests].join(),
    answered: latency.totalCount,
    refused,
    p50Ms: percentileMs(latency, 50),
    p99Ms: percentileMs(latency, 99),
  };
}

/** Somebody else who needs a connection for a moment, again and again: a backup, a migration, the next process. */
function visit(databaseUrl: string): { stop(): Promise<{ visits: number; visitsRefused: number }> } {
  let running = true;
  let [visits, visitsRefused] = [0, 0];
  const done = (async () => {
    while (running) {
      const client = new Client({ connectionString: databaseUrl });
      try {
        visits++;
        await client.connect();
      } catch (error) {
        if (sqlState(error) !== TOO_MANY_CONNECTIONS) throw error;
        visitsRefused++;
      } finally {
        await client.end();
      }
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
      return { visits, visitsRefused };
    },
  };
}

/** Whether a deployment that cannot fit comes up, to fail under load. */
async function starts(startInstances: Variant['startInstances'], databaseUrl: string): Promise<boolean> {
  try {
    const instances = await startInstances(databaseUrl, INSTANCES_TOO_MANY);
    await Promise.all(instances.map((instance) => instance.close()));
    return true;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return false;
  }
}

/** One instance, its pool small or large, in turn; the median of each one's p99. */
async function comparePools(databaseUrl: string, orgId: number, input: Input) {
  const p99Ms = new Map<number, number[]>([POOL_SMALL, POOL_LARGE].map((size) => [size, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [size, measured] of p99Ms) {
      const pool = openBenchPool(databaseUrl, size);
      const instance = { db: pool.unscoped, close: pool.close };
      await askAll([instance], orgId, { ...input, requestsEach: 1 }); // opens its connections
      measured.push((await askAll([instance], orgId, { ...input, requestsEach: REQUESTS_EACH / 2 })).p99Ms);
      await instance.close();
    }
  }
  const median = (values: number[] = []) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
  return { smallPoolP99Ms: median(p99Ms.get(POOL_SMALL)), largePoolP99Ms: median(p99Ms.get(POOL_LARGE)) };
}

function digestOf(rows: Awaited<ReturnType<typeof employeesPage>>): string {
  const hash = createHash('sha256');
  for (const { email, team } of rows) hash.update(`${email} ${team.name}\n`);
  return hash.digest('hex');
}
