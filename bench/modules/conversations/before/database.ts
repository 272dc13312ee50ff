import { Pool, type PoolClient, type PoolConfig, types } from 'pg';

/** Rows of one organisation; its id is always the first value. */
export type Read = <Row>(text: string, values: readonly [orgId: number, ...others: unknown[]]) => Promise<Row[]>;

/** One pool on the primary with pg's own default of ten connections, as the owner of the tables. */
export function openPool(url: string): Pool {
  const pool = new Pool({ connectionString: url, application_name: 'before', types: TYPES });
  pool.on('error', (error) => console.error('idle database connection lost', error));
  return pool;
}

/** Without the step `replica`: all reads go to the same pool. */
export function readsOf(pool: Pool): Read {
  return async <Row>(text: string, values: readonly unknown[]) => (await pool.query(text, [...values])).rows as Row[];
}

export async function inTransaction<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T> {
  const db = await pool.connect();
  try {
    await db.query('begin');
    const result = await work(db);
    await db.query('commit');
    return result;
  } catch (error) {
    await db.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    db.release();
  }
}

/** Ids as numbers, as JSON needs them. */
const TYPES: PoolConfig['types'] = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as 'text'),
};
