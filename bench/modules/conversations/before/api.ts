import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Pool } from 'pg';
import { CAMPAIGN_DEFAULTS } from '../../../../src/modules/campaigns/campaign-mail.ts';
import { toQuestion } from '../../../../src/modules/campaigns/campaigns.ts';
import { LINK_DAYS } from '../../../../src/modules/campaigns/limits.ts';
import { inTransaction, type Read } from './database.ts';
import { type ListName, type ReadList, rowOf } from './lists.ts';
import { addSignIn, type SignedIn, signedIn } from './sessions.ts';
import { summaryOf } from './summary.ts';

export interface ApiParts {
  readonly pool: Pool;
  readonly read: Read;
  readonly readList: ReadList;
}

/** The routes of the dashboard that people have open all day, and those that launch a campaign. */
export function createApi({ pool, read, readList }: ApiParts): FastifyInstance {
  const app = fastify();
  app.get('/readyz', async () => ({ ready: true }));
  addSignIn(app, pool);

  const caller = (request: FastifyRequest) => request.getDecorator<SignedIn>('signedIn');
  app.decorateRequest('signedIn', null);
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/api/v1/') || request.url === '/api/v1/sessions') return;
    const found = await signedIn(pool, request);
    if (found === undefined) return reply.code(401).send({ detail: 'Sign in first: POST /api/v1/sessions.' });
    request.setDecorator('signedIn', found);
  });

  app.get('/api/v1/me', async (request) => {
    const { orgId, organisation, user } = caller(request);
    return { user, organisation: { id: orgId, name: organisation } };
  });
  app.get('/api/v1/summary', async (request) => summaryOf(read, caller(request).orgId));

  for (const list of ['employees', 'campaigns', 'conversations'] satisfies ListName[]) {
    app.get(`/api/v1/${list}`, async (request) => {
      const { limit, cursor } = request.query as { limit?: string; cursor?: string };
      return readList(list, caller(request).orgId, {
        ...(limit === undefined ? {} : { limit: Number(limit) }),
        ...(cursor === undefined ? {} : { cursor }),
      });
    });
  }
  app.get('/api/v1/campaigns/:id', async (request, reply) => {
    const found = await rowOf(read, 'campaigns', caller(request).orgId, idOf(request));
    return found ?? reply.code(404).send({ detail: 'This campaign does not exist.' });
  });
  app.get('/api/v1/conversations/:id', async (request, reply) => {
    const [orgId, id] = [caller(request).orgId, idOf(request)] as const;
    const found = await rowOf(read, 'conversations', orgId, id);
    if (found === undefined) return reply.code(404).send({ detail: 'This conversation does not exist.' });
    const messages = await read(
      `select seq, sender, body, asks, choice, sentiment, sender = 'employee' as scored, created_at as at from messages
       where org_id = $1 and conversation_id = $2 order by seq`,
      [orgId, id],
    );
    return { ...found, messages };
  });

  app.post('/api/v1/campaigns', async (request, reply) => {
    const { orgId } = caller(request);
    const { name, subject, body } = request.body as { name: string; subject: string; body: string };
    const id = await createDraft(pool, orgId, [name, subject, body]);
    return reply.code(201).send({ id, name, subject, body, status: 'draft' });
  });
  app.post('/api/v1/campaigns/:id/launch', async (request, reply) => {
    const { rowCount } = await pool.query(
      `update campaigns set status = 'sending', launched_at = now(), link_expires_at = now() + make_interval(days => $3)
       where org_id = $1 and id = $2 and status = 'draft'`,
      [caller(request).orgId, idOf(request), LINK_DAYS],
    );
    if (rowCount === 0) return reply.code(409).send({ detail: 'Only a draft can be launched.' });
    return reply.code(202).send({ id: idOf(request), status: 'sending' });
  });
  return app;
}

function createDraft(pool: Pool, orgId: number, content: readonly [string, string, string]): Promise<number> {
  return inTransaction(pool, async (db) => {
    const { rows } = await db.query<{ id: number }>(
      'insert into campaigns (org_id, name, subject, body, questions) values ($1, $2, $3, $4, $5) returning id',
      [orgId, ...content, JSON.stringify(CAMPAIGN_DEFAULTS.questions.map(toQuestion))],
    );
    const id = Number(rows[0]?.id);
    await db.query('insert into campaign_progress (org_id, campaign_id) values ($1, $2)', [orgId, id]);
    return id;
  });
}

const idOf = (request: FastifyRequest) => Number((request.params as { id: string }).id);
