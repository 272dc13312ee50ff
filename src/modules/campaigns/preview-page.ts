import { Type } from 'typebox';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { closed } from '../../http/schemas.ts';
import { sendPage } from '../../http/server.ts';
import { readLinkToken } from '../../mail/personal-link.ts';
import type { ApiContext } from '../faces.ts';
import { campaignById } from './queries.ts';
import { PREVIEW } from './test-mail.ts';

const Params = Type.Object({ token: Type.String({ maxLength: 100 }) }, closed);
type Params = { token: string };

/** Where the links of a test mail lead: the questions as they will be asked. It only reads. */
export function previewRoutes(app: App, { config, pages }: ApiContext): void {
  const targetOf = (params: unknown) => readLinkToken(config.secretKey, PREVIEW, (params as Params).token);

  app.get('/preview/:token', { schema: { params: Params } }, async (request, reply) =>
    sendPage(reply, targetOf(request.params) && pages.answer('/modules/campaigns/preview-page.html', request.headers)),
  );

  app.get('/preview/:token/questions', { schema: { params: Params } }, async (request, reply) => {
    const target = targetOf(request.params);
    const campaign =
      target &&
      (await request.caller.within(target.orgId).read((reader) => campaignById(reader, target.orgId, target.id)));
    if (campaign === undefined) throw new AppError('not_found', 'This campaign does not exist any more.');
    reply.header('cache-control', 'no-store');
    return { name: campaign.name, questions: campaign.questions };
  });
}
