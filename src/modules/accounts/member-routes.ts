import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { App } from '../../http/app.ts';
import { etagOf } from '../../http/optimistic-concurrency.ts';
import { closed, Email, Id, IdParams, Name, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { invitationsPage } from './invitation-queries.ts';
import { acceptInvitation, inviteMember, readInvitation, withdrawInvitation } from './invitations.ts';
import { INVITATIONS_PER_HOUR_MAX, LINK_TRIES_PER_MINUTE_MAX } from './limits.ts';
import { memberById, membersPage } from './member-queries.ts';
import { changeRole, lockRoleTag, noSuchMember, removeMember } from './members.ts';
import { LinkToken, NewPassword, Role, Welcomed } from './schemas.ts';
import { fromOf, turnOf, type WelcomeReply } from './welcome-reply.ts';

const member = { id: Id, name: Type.String(), email: Type.String(), role: Type.String() };
const Member = Type.Object(member);
const ListedMember = Type.Object({ ...member, createdAt: Time });
const Invitation = Type.Object({
  id: Id,
  email: Type.String(),
  role: Type.String(),
  invitedBy: Type.String(),
  createdAt: Time,
  expiresAt: Time,
  mailedAt: nullable(Time),
  mailProblem: nullable(Type.String({ description: 'why the mail server refused the mail for good' })),
});

const HOUR_MS = 3_600_000;

export function memberRoutes(api: App, context: ApiContext, welcomed: WelcomeReply): void {
  const tags = ['accounts', 'members'];
  const { cursors, database } = context;
  const { secretKey } = context.config;
  const invitations = context.createRateLimit('invitations', INVITATIONS_PER_HOUR_MAX, HOUR_MS);
  const links = context.createRateLimit('tries with invitations', LINK_TRIES_PER_MINUTE_MAX);
  api.tagThing('/users/:id', { lockTag: lockRoleTag });

  api.get(
    '/users',
    {
      schema: {
        operationId: 'listUsers',
        summary: 'The members of the organisation',
        tags,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageSchema(ListedMember) },
      },
    },
    async ({ db, user, query }) =>
      cursors.page(
        'users',
        query,
        (after: IdPlace | undefined, rows) => db.read((reader) => membersPage(reader, user.orgId, after, rows)),
        ({ id }) => [id],
      ),
  );

  api.get(
    '/users/:id',
    { schema: { operationId: 'getUser', summary: 'A member', tags, params: IdParams, response: { 200: Member } } },
    async ({ db, user, params }, reply) => {
      const member = await db.read((reader) => memberById(reader, user.orgId, params.id));
      if (member === undefined) throw noSuchMember();
      return reply.header('etag', etagOf(member.role)).send(member);
    },
  );

  api.patch(
    '/users/:id',
    {
      config: { role: 'admin', scope: 'none', forbids: 'an admin who makes or changes an owner' },
      schema: {
        operationId: 'changeRole',
        summary: 'Change what a member may do',
        description:
          'Only owners make owners, and an organisation keeps at least one. The ETag of a member is the role in quotes: it is all of a member that can be changed.',
        tags,
        params: IdParams,
        body: Type.Object({ role: Role }, closed),
        response: { 200: Member },
      },
    },
    async (request, reply) => {
      const { db, params, body } = request;
      const member = await changeRole({ ...context, db }, actorOf(request), params.id, body.role);
      return reply.header('etag', etagOf(member.role)).send(member);
    },
  );

  api.delete(
    '/users/:id',
    {
      config: {
        scope: 'none',
        forbids: 'a viewer who removes anybody else, and an admin who removes an owner; everybody may leave',
      },
      schema: {
        operationId: 'removeUser',
        summary: 'Remove a member, or leave',
        description: 'Ends their sessions, and revokes their API keys.',
        tags,
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await removeMember({ ...context, db: request.db }, actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/invitations',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listInvitations',
        summary: 'Invitations that nobody has used yet, newest first',
        tags,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageSchema(Invitation) },
      },
    },
    async ({ db, user, query }) =>
      cursors.page(
        'invitations',
        query,
        (before: IdPlace | undefined, rows) => db.read((reader) => invitationsPage(reader, user.orgId, before, rows)),
        ({ id }) => [id],
      ),
  );

  api.post(
    '/invitations',
    {
      config: {
        role: 'admin',
        scope: 'none',
        forbids: 'an admin who invites an owner',
      },
      schema: {
        operationId: 'inviteUser',
        summary: 'Invite somebody by mail',
        description:
          'An earlier invitation of the same address works no more. Whether the address has an account elsewhere is not said.',
        tags,
        body: Type.Object({ email: Email, role: Role }, closed),
        response: { 201: Invitation },
      },
    },
    async (request, reply) => {
      await invitations.count(String(request.user.orgId), reply);
      return reply.code(201).send(await inviteMember(request.db, actorOf(request), request.body));
    },
  );

  api.delete(
    '/invitations/:id',
    {
      config: { role: 'admin', scope: 'none' },
      schema: {
        operationId: 'withdrawInvitation',
        summary: 'Withdraw an invitation',
        tags,
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await withdrawInvitation(request.db, actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/invitations/preview',
    {
      config: { public: true, problems: ['gone'] },
      schema: {
        operationId: 'previewInvitation',
        summary: 'What an invitation is to, for whoever has its link',
        description: 'A POST, so that the token is in no log.',
        tags,
        body: Type.Object({ token: LinkToken }, closed),
        response: {
          200: Type.Object({ organisation: Type.String(), email: Type.String(), role: Type.String() }),
        },
      },
    },
    async ({ network, body }, reply) => {
      await links.count(network, reply);
      return readInvitation(database, secretKey, body.token);
    },
  );

  api.post(
    '/memberships',
    {
      config: { public: true, problems: ['gone'] },
      schema: {
        operationId: 'acceptInvitation',
        summary: 'Accept an invitation, and be signed in',
        tags,
        body: Type.Object({ token: LinkToken, name: Name, password: NewPassword }, closed),
        response: { 201: Welcomed },
      },
    },
    async (request, reply) => {
      await links.count(request.network, reply);
      const parts = { ...context, secretKey };
      const { caller, body } = request;
      const welcome = await acceptInvitation(caller, parts, body, turnOf(request), fromOf(request));
      return welcomed(request, reply, welcome);
    },
  );
}
