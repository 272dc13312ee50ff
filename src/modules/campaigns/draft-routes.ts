import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { App } from '../../http/app.ts';
import { closed, IdParams, Name, PageQuery, pageSchema } from '../../http/schemas.ts';
import { whoIs } from '../accounts/accounts.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { CAMPAIGN_DEFAULTS, renderMail } from './campaign-mail.ts';
import { changeCampaign, createCampaign, toQuestion } from './campaigns.ts';
import { MAIL_BODY_CHARS_MAX, QUESTION_CHARS_MAX, QUESTIONS_MAX, SUBJECT_CHARS_MAX } from './limits.ts';
import { PLACEHOLDERS, refuseUnknownPlaceholders } from './placeholders.ts';
import { campaignById, campaignsPage } from './queries.ts';
import { recipientsOf } from './recipient-queries.ts';
import { AnswerKind, Campaign, noSuchCampaign, Questions, tagged } from './schemas.ts';

const QuestionText = Type.String({ minLength: 1, maxLength: QUESTION_CHARS_MAX, pattern: '\\S' });

const FILLED_IN = `${PLACEHOLDERS.join(' and ')} are filled in; anything else in two braces is refused`;

const Content = {
  name: Name,
  subject: Type.String({
    minLength: 1,
    maxLength: SUBJECT_CHARS_MAX,
    pattern: '^[^\\r\\n]*\\S[^\\r\\n]*$',
    description: FILLED_IN,
  }),
  body: Type.String({
    minLength: 1,
    maxLength: MAIL_BODY_CHARS_MAX,
    pattern: '\\S',
    description: FILLED_IN,
  }),
  questions: Type.Optional(
    Type.Array(Type.Union([QuestionText, Type.Object({ text: QuestionText, answer: AnswerKind }, closed)]), {
      minItems: 1,
      maxItems: QUESTIONS_MAX,
      description: 'a text alone is answered in words',
    }),
  ),
};

const MailText = { subject: Type.String(), html: Type.String(), text: Type.String() };

/** Writing a campaign, and seeing it before and after it is sent. */
export function draftRoutes(api: App, { cursors, database, links }: ApiContext): void {
  const sampleLinks = { actions: links.map(({ label }) => ({ label, url: '#' })), unsubscribe: '#' };
  const tags = ['campaigns'];

  api.get(
    '/campaigns',
    {
      schema: {
        summary: 'Campaigns, newest first',
        tags,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageSchema(Campaign) },
      },
    },
    async ({ db, user, query }) =>
      cursors.page(
        'campaigns',
        query,
        (before: IdPlace | undefined, rows) => db.read((reader) => campaignsPage(reader, user.orgId, before, rows)),
        ({ id }) => [id],
      ),
  );

  api.post(
    '/campaigns',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Create a draft campaign',
        tags,
        body: Type.Object(Content, closed),
        response: { 201: Campaign },
      },
    },
    async (request, reply) => {
      reply.code(201);
      return tagged(reply, await createCampaign(request.db, actorOf(request), request.body));
    },
  );

  api.get(
    '/campaigns/defaults',
    {
      schema: {
        summary: 'Default text and questions to start from',
        tags,
        response: {
          200: Type.Object({ subject: Type.String(), body: Type.String(), questions: Questions }),
        },
      },
    },
    async () => ({ ...CAMPAIGN_DEFAULTS, questions: CAMPAIGN_DEFAULTS.questions.map(toQuestion) }),
  );

  api.post(
    '/campaigns/preview',
    {
      schema: {
        summary: 'Preview a mail',
        tags,
        body: Type.Object({ subject: Content.subject, body: Content.body }, closed),
        response: { 200: Type.Object(MailText) },
      },
    },
    async ({ user, body }) => {
      refuseUnknownPlaceholders(body);
      const { user: person, organisation } = await whoIs(database, user.orgId, user.userId);
      return renderMail(body, { name: person.name, organisation: organisation.name }, sampleLinks);
    },
  );

  api.get(
    '/campaigns/:id',
    { schema: { summary: 'A campaign and its progress', tags, params: IdParams, response: { 200: Campaign } } },
    async ({ db, user, params }, reply) => {
      const campaign = await db.read((reader) => campaignById(reader, user.orgId, params.id));
      if (campaign === undefined) throw noSuchCampaign();
      return tagged(reply, campaign);
    },
  );

  api.patch(
    '/campaigns/:id',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Change a draft',
        tags,
        params: IdParams,
        body: Type.Partial(Type.Object(Content), closed),
        response: { 200: Campaign },
      },
    },
    async (request, reply) => {
      const { db, params, body } = request;
      return tagged(reply, await changeCampaign(db, actorOf(request), params.id, body));
    },
  );

  api.get(
    '/campaigns/:id/preview',
    {
      schema: {
        summary: 'Preview the mail of a campaign, with the number of people who would get it now',
        tags,
        params: IdParams,
        response: { 200: Type.Object({ ...MailText, recipients: Type.Integer(), version: Type.Integer() }) },
      },
    },
    async ({ db, user, params }) =>
      db.read(async (reader) => {
        const campaign = await campaignById(reader, user.orgId, params.id);
        if (campaign === undefined) throw noSuchCampaign();
        const { user: person, organisation } = await whoIs(database, user.orgId, user.userId);
        const mail = renderMail(campaign, { name: person.name, organisation: organisation.name }, sampleLinks);
        return { ...mail, recipients: await recipientsOf(reader, user.orgId), version: campaign.version };
      }),
  );
}
