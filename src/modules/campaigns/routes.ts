import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { CLOCK_CHANGE_RULE } from '../../dates.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { etagOf, IfMatch, versionSeen, versionSeenIfAny } from '../../http/optimistic-concurrency.ts';
import { closed, Id, IdParams, Name, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { TIME_CHARS_MAX, TIME_ZONE_CHARS_MAX } from '../../limits.ts';
import { whoIs } from '../accounts/accounts.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { CAMPAIGN_DEFAULTS, renderMail } from './campaign-mail.ts';
import {
  cancelCampaign,
  changeCampaign,
  createCampaign,
  launchCampaign,
  pauseCampaign,
  resumeCampaign,
  retryCampaign,
  scheduleCampaign,
  toQuestion,
} from './campaigns.ts';
import { launchTimesOf } from './launch-times.ts';
import {
  MAIL_BODY_CHARS_MAX,
  QUESTION_CHARS_MAX,
  QUESTIONS_MAX,
  SCHEDULE_CRON_CHARS_MAX,
  SLOT_DISTANCE_MS_MIN,
  SLOTS_PREVIEWED,
  SUBJECT_CHARS_MAX,
  TEST_MAILS_PER_MINUTE_MAX,
} from './limits.ts';
import { previewRoutes } from './preview-page.ts';
import {
  campaignById,
  campaignsPage,
  failuresByCause,
  reachOutsPage,
  recipientsOf,
  type Campaign as StoredCampaign,
} from './queries.ts';
import { requestTestMail } from './test-mail.ts';
import { unsubscribeRoutes } from './unsubscribe.ts';

const QuestionText = Type.String({ minLength: 1, maxLength: QUESTION_CHARS_MAX, pattern: '\\S' });
const AnswerKind = Type.Union([Type.Literal('text'), Type.Literal('scale')], {
  description: 'text: in words; scale: a tap from 1 (low) to 5 (high), which means the same in every language',
});
const Questions = Type.Array(Type.Object({ text: Type.String(), answer: AnswerKind }));

const Content = {
  name: Name,
  subject: Type.String({ minLength: 1, maxLength: SUBJECT_CHARS_MAX, pattern: '^[^\\r\\n]*\\S[^\\r\\n]*$' }),
  body: Type.String({
    minLength: 1,
    maxLength: MAIL_BODY_CHARS_MAX,
    pattern: '\\S',
    description: '{{name}} and {{organisation}} are filled in',
  }),
  questions: Type.Optional(
    Type.Array(Type.Union([QuestionText, Type.Object({ text: QuestionText, answer: AnswerKind }, closed)]), {
      minItems: 1,
      maxItems: QUESTIONS_MAX,
      description: 'a text alone is answered in words',
    }),
  ),
};

const Campaign = Type.Object({
  id: Id,
  name: Type.String(),
  subject: Type.String(),
  body: Type.String(),
  questions: Questions,
  status: Type.String({ description: 'draft, scheduled, sending, paused, done or cancelled' }),
  launchAt: nullable(Time),
  cron: nullable(Type.String()),
  timeZone: Type.String(),
  parentId: nullable(Id),
  launchedAt: nullable(Time),
  finishedAt: nullable(Time),
  createdAt: Time,
  version: Type.Integer({ description: 'counts what people do to it; in quotes, it is the ETag' }),
  pausedBecause: nullable(
    Type.Object({
      about: Type.String({
        description:
          'why no mail goes out: `person` (somebody paused it), `sender` (the mail server refuses our address, login or quota), `server` (it is away or takes no mail), `rate` (we are too fast for it)',
      }),
      reason: nullable(Type.String({ description: 'the words of the mail server' })),
      since: nullable(Time),
      nextTryAt: nullable({ ...Time, description: 'it goes on by itself; null: only a person resumes it' }),
    }),
  ),
  progress: Type.Object({
    recipients: Type.Integer(),
    sent: Type.Integer(),
    failed: Type.Integer(),
    skipped: Type.Integer({ description: 'unsubscribed, or suppressed' }),
    suppressed: Type.Integer({ description: 'of the skipped ones: the address must not be sent mail' }),
    complaints: Type.Integer({ description: 'readers who marked the mail as spam' }),
    possiblyTwice: Type.Integer({ description: 'mails whose process died while sending: each may have arrived twice' }),
    opened: Type.Integer(),
    finished: Type.Integer(),
    answers: Type.Integer(),
    perSecond: nullable(Type.Number({ description: 'emails a second, of late; null unless it is being sent' })),
    secondsLeft: nullable(Type.Integer({ description: 'at this rate, until it is done' })),
  }),
});

const Cause = Type.String({
  description:
    'of a failed one: `recipient` (the mailbox does not take it), `mail` (this mail is refused), `unsupported` (our mail server cannot send to such an address), `unconfirmed` (the mail server got it and never said whether it took it), `bounced` (it took it, and another server returned it)',
});

const ReachOut = Type.Object({
  id: Id,
  employee: Type.Object({ id: Id, name: Type.String(), email: Type.String() }),
  status: Type.String(),
  attempts: Type.Integer(),
  sentAt: nullable(Time),
  error: nullable(Type.String()),
  cause: nullable(Cause),
  suppressed: Type.Boolean({ description: 'the address must not be sent mail: it cannot be sent to again' }),
  complainedAt: nullable(Time),
});

const Schedule = Type.Object(
  {
    at: Type.Optional(
      Type.String({
        maxLength: TIME_CHARS_MAX,
        description: `launches once; ISO 8601, like 2027-01-31T09:00:00+01:00. Without an offset it is wall time in timeZone. ${CLOCK_CHANGE_RULE}`,
      }),
    ),
    cron: Type.Optional(
      Type.String({
        maxLength: SCHEDULE_CRON_CHARS_MAX,
        description: `five fields, in timeZone (UTC without one); every matching time sends a copy. At least ${SLOT_DISTANCE_MS_MIN / 60_000} minutes between two of them. A single time that a clock change skips launches when the clock has moved on; one that comes twice launches once`,
      }),
    ),
    timeZone: Type.Optional(
      Type.String({
        maxLength: TIME_ZONE_CHARS_MAX,
        description: 'a name of the IANA database, for example Europe/Berlin',
      }),
    ),
  },
  { ...closed, examples: [{ cron: '0 9 * * 1', timeZone: 'Europe/Berlin' }] },
);

const MailText = { subject: Type.String(), html: Type.String(), text: Type.String() };

export function publicRoutes(app: App, context: ApiContext): void {
  unsubscribeRoutes(app, context);
  previewRoutes(app, context);
}

export function routes(api: App, { createRateLimit, cursors, database, links }: ApiContext): void {
  const sampleLinks = { actions: links.map(({ label }) => ({ label, url: '#' })), unsubscribe: '#' };
  const tags = ['campaigns'];
  const testMails = createRateLimit('test mails', TEST_MAILS_PER_MINUTE_MAX);

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
        description: 'Requires If-Match with the ETag of the version to change.',
        tags,
        params: IdParams,
        headers: IfMatch,
        body: Type.Partial(Type.Object(Content), closed),
        response: { 200: Campaign },
      },
    },
    async (request, reply) => {
      const { db, params, headers, body } = request;
      return tagged(reply, await changeCampaign(db, actorOf(request), params.id, versionSeen(headers), body));
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

  api.post(
    '/campaigns/:id/test',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send the mail of a campaign to yourself, marked as a test',
        description: 'Its links open a preview of the questions, in which nothing is stored.',
        tags,
        params: IdParams,
        response: { 202: Type.Object({ to: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { db, user, params } = request;
      const key = `${user.orgId}/${user.userId}`;
      testMails.refuseUsedUp(key);
      const { user: person } = await whoIs(database, user.orgId, user.userId);
      const to = await requestTestMail(db, actorOf(request), params.id, person.email);
      await testMails.count(key, reply);
      return reply.code(202).send({ to });
    },
  );

  api.post(
    '/campaigns/:id/launch',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send a campaign now',
        description: 'With If-Match, only the version with this ETag is sent.',
        tags,
        params: IdParams,
        headers: IfMatch,
        response: { 202: Campaign },
      },
    },
    async (request, reply) => {
      const { db, params, headers } = request;
      reply.code(202);
      return tagged(reply, await launchCampaign(db, actorOf(request), params.id, versionSeenIfAny(headers)));
    },
  );

  api.post(
    '/campaigns/:id/schedule',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send a campaign later, once or repeatedly',
        description: 'With If-Match, only the version with this ETag is scheduled.',
        tags,
        params: IdParams,
        headers: IfMatch,
        body: Schedule,
        response: { 200: Campaign },
      },
    },
    async (request, reply) => {
      const { db, params, headers, body } = request;
      return tagged(reply, await scheduleCampaign(db, actorOf(request), params.id, body, versionSeenIfAny(headers)));
    },
  );

  api.post(
    '/campaigns/schedule-preview',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'When a schedule would launch, before it is saved',
        description: `Refuses what scheduling a campaign refuses, in the same words. Otherwise: the next ${SLOTS_PREVIEWED} launches.`,
        tags,
        body: Schedule,
        response: { 200: Type.Object({ next: Type.Array(Time), timeZone: Type.String() }) },
      },
    },
    async ({ body }) => {
      const { next, timeZone } = launchTimesOf(body);
      return { next: next.map((launch) => launch.toISOString()), timeZone };
    },
  );

  api.post(
    '/campaigns/:id/cancel',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Cancel a campaign: mails that are not sent yet are not sent',
        tags,
        params: IdParams,
        response: { 200: Campaign },
      },
    },
    async (request, reply) => tagged(reply, await cancelCampaign(request.db, actorOf(request), request.params.id)),
  );

  api.post(
    '/campaigns/:id/pause',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Pause a campaign that is being sent',
        tags,
        params: IdParams,
        response: { 200: Campaign },
      },
    },
    async (request, reply) => tagged(reply, await pauseCampaign(request.db, actorOf(request), request.params.id)),
  );

  api.post(
    '/campaigns/:id/resume',
    {
      config: { role: 'admin' },
      schema: { summary: 'Resume a paused campaign', tags, params: IdParams, response: { 200: Campaign } },
    },
    async (request, reply) => tagged(reply, await resumeCampaign(request.db, actorOf(request), request.params.id)),
  );

  api.get(
    '/campaigns/:id/failures',
    {
      schema: {
        summary: 'How many recipients failed, by cause',
        tags,
        params: IdParams,
        response: {
          200: Type.Object({
            items: Type.Array(
              Type.Object({
                cause: Cause,
                count: Type.Integer(),
                suppressed: Type.Integer({
                  description: 'of them: not sent to again, because the address is suppressed',
                }),
                example: nullable(Type.String()),
              }),
            ),
          }),
        },
      },
    },
    async ({ db, user, params }) => ({
      items: await db.read(async (reader) => {
        if ((await campaignById(reader, user.orgId, params.id)) === undefined) throw noSuchCampaign();
        return failuresByCause(reader, user.orgId, params.id);
      }),
    }),
  );

  api.post(
    '/campaigns/:id/retry',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send to failed recipients again: to one, to those of one cause, or to all',
        description: 'Those whose address is suppressed stay failed.',
        tags,
        params: IdParams,
        body: Type.Object(
          {
            cause: Type.Optional(
              Type.Union([
                Type.Literal('recipient'),
                Type.Literal('mail'),
                Type.Literal('unsupported'),
                Type.Literal('unconfirmed'),
                Type.Literal('bounced'),
              ]),
            ),
            reachOutId: Type.Optional(Id),
          },
          closed,
        ),
        response: { 202: Campaign },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return tagged(reply, await retryCampaign(request.db, actorOf(request), request.params.id, request.body));
    },
  );

  api.get(
    '/campaigns/:id/reach-outs',
    {
      schema: {
        summary: 'The mails of a campaign, one per recipient',
        tags,
        params: IdParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            status: Type.Optional(
              Type.Union([
                Type.Literal('waiting'),
                Type.Literal('sending'),
                Type.Literal('sent'),
                Type.Literal('failed'),
                Type.Literal('skipped'),
              ]),
            ),
          },
          closed,
        ),
        response: { 200: pageSchema(ReachOut) },
      },
    },
    async ({ db, user, params, query }) => {
      const { status } = query;
      return cursors.page(
        `reach-outs ${params.id} ${status ?? ''}`,
        query,
        (after: IdPlace | undefined, rows) =>
          db.read(async (reader) => {
            if ((await campaignById(reader, user.orgId, params.id)) === undefined) throw noSuchCampaign();
            return reachOutsPage(reader, user.orgId, params.id, status, after, rows);
          }),
        ({ id }) => [id],
      );
    },
  );
}

/** With what a change of it sends back. */
function tagged(reply: FastifyReply, campaign: StoredCampaign): StoredCampaign {
  reply.header('etag', etagOf(campaign.version));
  return campaign;
}

function noSuchCampaign(): AppError {
  return new AppError('not_found', 'This campaign does not exist.');
}
