import type { FastifyReply } from 'fastify';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Db } from '../../db/schema.ts';
import type { App } from '../../http/app.ts';
import { closed } from '../../http/schemas.ts';
import { sendPage } from '../../http/server.ts';
import { type LinkTarget, readLinkToken } from '../../mail/personal-link.ts';
import type { ApiContext } from '../faces.ts';

const Params = Type.Object({ token: Type.String({ maxLength: 100 }) }, closed);

/**
 * The unsubscribe link in every mail (RFC 8058). GET only shows a button, because mail scanners follow every link.
 * POST, sent by that button or by the mail program, unsubscribes: no cookie, redirect or confirmation, and it is
 * idempotent.
 */
export function unsubscribeRoutes(app: App, { config, pages }: ApiContext): void {
  // Mail programs take along the full stop or the bracket that somebody wrote behind a link.
  const targetOf = (params: unknown) =>
    readLinkToken(config.secretKey, 'unsubscribe', (params as { token: string }).token.replace(/[^\w-]+$/, ''));
  const sendIncomplete = (reply: FastifyReply) => {
    const page = pages.answer('/modules/campaigns/unsubscribe-incomplete.html', {});
    return sendPage(reply, page && { ...page, status: 404 });
  };
  app.register(async (scope) => {
    // The body that mail programs post (`List-Unsubscribe=One-Click`) adds nothing to the link, so it is ignored, whatever
    // they call it.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null));

    scope.get('/u/:token', { schema: { params: Params } }, async (request, reply) => {
      if (targetOf(request.params) === undefined) return sendIncomplete(reply);
      return sendPage(reply, pages.answer('/modules/campaigns/unsubscribe.html', request.headers));
    });

    scope.post('/u/:token', { schema: { params: Params } }, async (request, reply) => {
      const target = targetOf(request.params);
      if (target === undefined) return sendIncomplete(reply);
      await request.caller.within(target.orgId).write((transaction) => unsubscribe(transaction, target));
      return sendPage(reply, pages.answer('/modules/campaigns/unsubscribed.html', {}));
    });
  });
}

async function unsubscribe(db: Db, { orgId, id: reachOutId }: LinkTarget): Promise<void> {
  await db
    .updateTable('employees')
    .set({ unsubscribed_at: sql`coalesce(unsubscribed_at, now())` })
    .where('org_id', '=', orgId)
    .where('id', '=', (q) =>
      q.selectFrom('reach_outs').where('org_id', '=', orgId).where('id', '=', reachOutId).select('employee_id'),
    )
    .execute();
}
