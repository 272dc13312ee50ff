/** What the product's list page is measured against: fastify and pg, a named statement, nothing else. */
import { fastify } from 'fastify';
import { Pool } from 'pg';
import { POOL_REPLICA } from '../../src/limits.ts';
import type { ToBare } from './arrange.ts';

const PAGE = {
  name: 'employees-page',
  text: `
    select e.id, e.name, e.email, e.team_id, t.name as team, e.unsubscribed_at, e.created_at
    from employees e join teams t on t.org_id = e.org_id and t.id = e.team_id
    where e.org_id = $1 and e.id > $2 order by e.id limit 51`,
};

process.once('message', async ({ databaseUrl, orgId, port }: ToBare) => {
  const pool = new Pool({ connectionString: databaseUrl, max: POOL_REPLICA.api - 1 });
  const app = fastify();
  app.get('/employees', async () => {
    const { rows } = await pool.query({ ...PAGE, values: [orgId, 0] });
    return { items: rows };
  });
  await app.listen({ port, host: '127.0.0.1' });
  process.send?.('ready');
});
process.on('disconnect', () => process.exit());
