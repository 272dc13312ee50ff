/** What the product's list page is measured against: fastify and pg, a named statement, nothing else. */
import { fastify } from 'fastify';
import { Pool } from 'pg';
import { POOL_REPLICA } from '../../src/limits.ts';
import type { ToBare } from './arrange.ts';

process.once('message', async ({ databaseUrl, orgId, port, statement }: ToBare) => {
  const pool = new Pool({ connectionString: databaseUrl, max: POOL_REPLICA.api - 1 });
  const app = fastify();
  app.get('/page', async () => {
    const { rows } = await pool.query({ ...statement, values: [orgId, 0] });
    return { items: rows };
  });
  await app.listen({ port, host: '127.0.0.1' });
  process.send?.('ready');
});
process.on('disconnect', () => process.exit());
