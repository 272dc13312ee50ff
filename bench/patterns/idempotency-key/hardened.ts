import { sql } from 'kysely';
import { AnsweredBefore, guardSession, keptAnswer } from '../../../src/db/idempotency-key.ts';
import { createSession, openDatabase } from '../../../src/db/read-write-split.ts';
import { AppError } from '../../../src/errors.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import { ORG, type PlaceOrder } from './case.ts';

/** The answer is kept in the transaction that places the order, and only one request at a time has the key. */
export function openOrders({ workerDatabaseUrl }: Servers): { place: PlaceOrder; close(): Promise<unknown> } {
  const database = openDatabase({
    config: { databaseUrl: workerDatabaseUrl, databaseReplicaUrl: undefined },
    name: 'api',
    log: BENCH_LOG,
    metrics: createMetrics('bench'),
  });
  return {
    async place(key, text) {
      const request = { orgId: ORG, caller: 'client', key, secretKey: '', parameters: [text] };
      const kept = await keptAnswer(database.primary(ORG), request);
      if (kept !== undefined) return kept.body?.toString();
      const { session, answered } = guardSession(createSession(database, ORG), request);
      try {
        await session.write((transaction) =>
          sql`insert into orders (org_id, text) values (${ORG}, ${text})`.execute(transaction),
        );
        await answered({ status: 201, headers: {}, cookies: [], body: Buffer.from(text) });
        return text;
      } catch (error) {
        if (error instanceof AnsweredBefore) return error.answer.body?.toString();
        if (error instanceof AppError && error.code === 'in_progress') return undefined;
        throw error;
      }
    },
    close: database.close,
  };
}
