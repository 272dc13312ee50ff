import { Type } from 'typebox';
import type { App } from '../../http/app.ts';
import { SESSION_COOKIE, tokenOf } from '../../http/authentication.ts';
import { createRateLimit } from '../../http/rate-limit.ts';
import { closed, Email, Id, Name, named } from '../../http/schemas.ts';
import { PASSWORD_CHARS, SESSION_MS, SIGN_INS_PER_MINUTE_MAX } from '../../limits.ts';
import type { ApiContext } from '../faces.ts';
import { registerOrganisation, signIn, whoIs } from './accounts.ts';

const Password = Type.String({ minLength: PASSWORD_CHARS.min, maxLength: PASSWORD_CHARS.max });
const User = Type.Object({ id: Id, name: Type.String(), email: Type.String(), role: Type.String() });
const Welcomed = Type.Object({ token: Type.String(), user: User, organisation: named });

export function routes(api: App, context: ApiContext): void {
  const signIns = createRateLimit('sign-ins', SIGN_INS_PER_MINUTE_MAX);
  const registrations = createRateLimit('registrations', SIGN_INS_PER_MINUTE_MAX);
  const cookie = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: context.config.apiUrl.startsWith('https:'),
    maxAge: SESSION_MS / 1000,
  } as const;

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
      registrations.count(request.ip);
      const welcome = await registerOrganisation(request.caller, context, request.body);
      return reply.code(201).setCookie(SESSION_COOKIE, welcome.token, cookie).send(welcome);
    },
  );

  api.post(
    '/sessions',
    {
      config: { public: true },
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
      const key = `${request.ip} ${request.body.email.toLowerCase()}`;
      signIns.count(key);
      const welcome = await signIn(request.caller, context, request.body);
      signIns.forget(key);
      return reply.code(201).setCookie(SESSION_COOKIE, welcome.token, cookie).send(welcome);
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
