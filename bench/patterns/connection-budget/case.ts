import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import type { Db } from '../../../src/db/database.ts';
import { StartError, sqlState } from '../../../src/errors.ts';
import { createHistogram, percentileMs, recordMs } from '../../load/latency.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type Instance = { readonly db: Db; close(): Promise<void> };
type Twin = { startInstances(url: string, count: number): Promise<Instance[]> };
type Input = { readonly instances: number; readonly clients: number; readonly requestsEach: number };

const ITEMS = 20_000;
const PAGE_ROWS = 50;
/** A small deployment: with pg's ten connections each, 50 on a server that allows 37 (40 less those reserved). */
const [INSTANCES, CLIENTS, REQUESTS_EACH] = [5, 200, 20];
/** More than fit into the server's max_connections, however small their pools. */
const INSTANCES_TOO_MANY = 40;
const TOO_MANY_CONNECTIONS = '53300';

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/connection-budget.ts',
  withoutIt: 'instances together exceed max_connections, noticed only under load',
  asks: `${INSTANCES} instances answer ${CLIENTS} clients at once, ${REQUESTS_EACH} requests each, from one small server.`,
  breaks: 'requests are refused a connection',
  holds: `every request is answered, and a deployment of ${INSTANCES_TOO_MANY} instances does not start`,
  headline: ({ answered = 0, refused = 0 }) =>
    `${refused.toLocaleString('en')} of ${(answered + refused).toLocaleString('en')} requests failed`,
  small: { instances: 1, clients: 5, requestsEach: 2 },
  full: { instances: INSTANCES, clients: CLIENTS, requestsEach: REQUESTS_EACH },

  arrange: ({ databaseUrl }) =>
    runSql(
      databaseUrl,
      `insert into items (name) select 'Item ' || n from generate_series(1, ${ITEMS}) n; analyze items`,
    ),

  async perform({ startInstances }, input, { databaseUrl }) {
    const instances = await startInstances(databaseUrl, input.instances);
    const visitor = startVisitor(databaseUrl);
    const { digest, ...answers } = await askAll(instances, input);
    const visits = await visitor.stop();
    await Promise.all(instances.map((instance) => instance.close()));
    const startsTooMany = (await starts(startInstances, databaseUrl)) ? 1 : 0;
    return { digest, figures: { ...answers, ...visits, startsTooMany } };
  },

  isBroken: (naive) => (naive.figures.refused ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.answered === CLIENTS * REQUESTS_EACH &&
    figures.visitsRefused === 0 &&
    figures.startsTooMany === 0,
};

/** Each client asks again as soon as it has its answer; a refusal is an answer, too. */
async function askAll(instances: readonly Instance[], { clients, requestsEach }: Input) {
  const latency = createHistogram();
  const digests = new Set<string>();
  let refused = 0;
  async function ask(db: Db): Promise<void> {
    const begun = performance.now();
    try {
      const { rows } = await sql`select id, name from items order by id limit ${PAGE_ROWS}`.execute(db);
      recordMs(latency, performance.now() - begun);
      digests.add(createHash('sha256').update(JSON.stringify(rows)).digest('hex'));
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

/** Needs a connection for a moment, again and again, as a backup, a migration or the next process does. */
function startVisitor(databaseUrl: string): { stop(): Promise<{ visits: number; visitsRefused: number }> } {
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

/** Whether a deployment that cannot fit starts, to fail under load. */
async function starts(startInstances: Twin['startInstances'], databaseUrl: string): Promise<boolean> {
  try {
    const instances = await startInstances(databaseUrl, INSTANCES_TOO_MANY);
    await Promise.all(instances.map((instance) => instance.close()));
    return true;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return false;
  }
}
