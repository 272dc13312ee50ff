import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { SESSION_COOKIE, tokenOf } from '../../http/authentication.ts';
import { createRateLimit } from '../../http/rate-limit.ts';
import { closed, Email, Id, Name, named } from '../../http/schemas.ts';
import { DEVICE_MS, PASSWORD_CHARS, SESSION_MS, SIGN_INS_PER_MINUTE_MAX } from '../../limits.ts';
import type { ApiContext } from '../faces.ts';
import { registerOrganisation, signIn, type Welcome, whoIs } from './accounts.ts';
import { createSignInLimits, DEVICE_COOKIE } from './sign-in-limits.ts';

const Password = Type.String({
  minLength: PASSWORD_CHARS.min,
  maxLength: PASSWORD_CHARS.max,
  examples: ['three quiet words'],
});
const User = Type.Object({ id: Id, name: Type.String(), email: Type.String(), role: Type.String() });
const Welcomed = Type.Object({ token: Type.String(), user: User, organisation: named });

export function routes(api: App, context: ApiContext): void {
  const signIns = createSignInLimits(context.config.secretKey);
  const registrations = createRateLimit('registrations', SIGN_INS_PER_MINUTE_MAX);
  const cookie = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: context.config.apiUrl.startsWith('https:'),
    maxAge: SESSION_MS / 1000,
  } as const;
  const isGone = (request: FastifyRequest) => () => request.raw.socket.destroyed;

  function welcomed(request: FastifyRequest, reply: FastifyReply, welcome: Welcome): Welcome {
    const device = signIns.remember(request.cookies[DEVICE_COOKIE], welcome.user.email);
    reply.code(201).setCookie(SESSION_COOKIE, welcome.token, cookie);
    // Sent to no other route: it grants nothing, but it says which browser this is.
    reply.setCookie(DEVICE_COOKIE, device, { ...cookie, path: '/api/sessions', maxAge: DEVICE_MS / 1000 });
    return welcome;
  }

  api.post(
    '/registrations',
    {
      config: { public: true },
      schema: {
        summary: 'Register a new organisation and its owner',
        tags: ['accounts'],
        body: Type.Object({ organisation: Name, name: Name, email: Email, password: Password }, closed),
        response: { 201: Welcomed },
      },
    },
    async (request, reply) => {
      registrations.count(request.network, reply);
      const turn = { key: request.network, isGone: isGone(request) };
      return welcomed(request, reply, await registerOrganisation(request.caller, context, request.body, turn));
    },
  );

  api.post(
    '/sessions',
    {
      config: { public: true, problems: ['unauthenticated'] },
      schema: {
        summary: 'Sign in',
        description: 'Browsers keep the cookie; programs send the token as `Authorization: Bearer …`.',
        tags: ['accounts'],
        body: Type.Object(
          { email: Email, password: Type.String({ minLength: 1, maxLength: PASSWORD_CHARS.max }) },
          closed,
        ),
        response: { 201: Welcomed },
      },
    },
    async (request, reply) => {
      const { network, body } = request;
      const attempt = signIns.begin({ network, device: request.cookies[DEVICE_COOKIE], email: body.email }, reply);
      const turn = { key: attempt.from, first: attempt.isKnownDevice, isGone: isGone(request) };
      try {
        const welcome = await signIn(request.caller, context, body, turn);
        attempt.succeeded();
        return welcomed(request, reply, welcome);
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'unauthenticated')) attempt.notJudged();
        throw error;
      }
    },
  );

  api.delete(
    '/sessions/current',
    { schema: { summary: 'Sign out', tags: ['accounts'], response: { 204: Type.Null() } } },
    async (request, reply) => {
      const token = tokenOf(request);
      if (token !== undefined) await request.db.write((transaction) => context.sessions.end(transaction, token));
      return reply.clearCookie(SESSION_COOKIE, { path: '/' }).code(204).send(null);
    },
  );

  api.get(
    '/me',
    {
      schema: {
        summary: 'Who is signed in',
        tags: ['accounts'],
        response: { 200: Type.Object({ user: User, organisation: named }) },
      },
    },
    async ({ user }) => whoIs(context.database, user.orgId, user.userId),
  );
}
