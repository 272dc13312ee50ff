import { Type } from 'typebox';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { SESSION_COOKIE, tokenOf } from '../../http/authentication.ts';
import { isOperator } from '../../http/operators.ts';
import { closed, Email } from '../../http/schemas.ts';
import { TICKET_CHARS_MAX } from '../../limits.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { signIn, signInWithCode, signOut, whoIs } from './accounts.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { createCodeTries } from './code-tries.ts';
import { LINK_TRIES_PER_MINUTE_MAX } from './limits.ts';
import { memberRoutes } from './member-routes.ts';
import { oidcPages } from './oidc-pages.ts';
import { passwordRoutes } from './password-routes.ts';
import { registrationRoutes } from './registration-routes.ts';
import { Code, GivenPassword, Me, Welcomed } from './schemas.ts';
import { secondFactorRoutes } from './second-factor-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { createSignInLimits, DEVICE_COOKIE } from './sign-in-limits.ts';
import { createRememberDevice, createWelcomeReply, fromOf, turnOf } from './welcome-reply.ts';

/** Outside /api: pages that a browser passes through. */
export const publicRoutes = oidcPages;

export function routes(api: App, context: ApiContext): void {
  const signIns = createSignInLimits(context.config.secretKey, context.createRateLimit);
  const tickets = context.createRateLimit('second steps', LINK_TRIES_PER_MINUTE_MAX);
  const codeTries = createCodeTries(context.createRateLimit, signIns);
  const welcomed = createWelcomeReply(context.config, signIns);

  api.get(
    '/sign-in-options',
    {
      config: { public: true },
      schema: {
        operationId: 'getSignInOptions',
        summary: 'How people can sign in, besides with a password',
        tags: ['accounts'],
        response: { 200: Type.Object({ oidc: Type.Boolean({ description: 'at /oidc/start' }) }) },
      },
    },
    async () => ({ oidc: context.config.oidcIssuer !== undefined }),
  );

  api.post(
    '/sessions',
    {
      config: { public: true, judgesFirst: true, problems: ['unauthenticated'] },
      schema: {
        operationId: 'signIn',
        summary: 'Sign in',
        description: 'Browsers keep the cookie; programs send the token as `Authorization: Bearer …`.',
        tags: ['accounts'],
        body: Type.Object({ email: Email, password: GivenPassword }, closed),
        response: {
          201: Welcomed,
          202: Type.Object({
            ticket: Type.String({
              description: 'the password was right: send it with a code to /api/v1/sessions/second-factor',
            }),
          }),
        },
      },
    },
    async (request, reply) => {
      const { network, body } = request;
      const given = { network, device: request.cookies[DEVICE_COOKIE], email: body.email };
      const { key, isKnownDevice } = signIns.origin(given);
      const place = context.hasher.enter({ ...turnOf(request), key, first: isKnownDevice });
      try {
        const attempt = await signIns.begin(given, reply);
        const welcome = await signIn(request.caller, context, body, place, fromOf(request)).catch((error) => {
          if (!(error instanceof AppError && error.code === 'unauthenticated')) attempt.notJudged();
          throw error;
        });
        attempt.succeeded();
        return 'ticket' in welcome ? reply.code(202).send(welcome) : welcomed(request, reply, welcome);
      } finally {
        place.leave();
      }
    },
  );

  api.post(
    '/sessions/second-factor',
    {
      config: {
        public: true,
        judgesFirst: true,
        problems: ['unauthenticated'],
        forbids: 'a code that is wrong or was used before',
      },
      schema: {
        operationId: 'signInWithCode',
        summary: 'Sign in, second step',
        description:
          'With the ticket from POST /api/v1/sessions, and a code of the authenticator app or a recovery code.',
        tags: ['accounts'],
        body: Type.Object({ ticket: Type.String({ minLength: 1, maxLength: TICKET_CHARS_MAX }), code: Code }, closed),
        response: { 201: Welcomed },
      },
    },
    async (request, reply) => {
      const { caller, network, body } = request;
      await tickets.count(network, reply);
      const asTry = codeTries({ network, device: request.cookies[DEVICE_COOKIE] }, reply);
      const welcome = await signInWithCode(caller, context, body, fromOf(request), asTry);
      tickets.refund(network); // a whole company may come from one network at nine o'clock
      return welcomed(request, reply, welcome);
    },
  );

  api.delete(
    '/sessions/current',
    {
      config: { scope: 'none' },
      schema: { operationId: 'signOut', summary: 'Sign out', tags: ['accounts'], response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const token = tokenOf(request);
      if (token !== undefined) await signOut({ db: request.db, sessions: context.sessions }, actorOf(request), token);
      return reply.clearCookie(SESSION_COOKIE, { path: '/' }).code(204).send(null);
    },
  );

  api.get(
    '/me',
    {
      schema: {
        operationId: 'getMe',
        summary: 'Who is signed in',
        tags: ['accounts'],
        response: { 200: Me },
      },
    },
    async ({ user }) => ({
      ...(await whoIs(context.database, user.orgId, user.userId)),
      operator: isOperator(user, context.config.operators),
    }),
  );

  registrationRoutes(api, context, welcomed);
  memberRoutes(api, context, welcomed);
  passwordRoutes(api, context, createRememberDevice(context.config, signIns));
  sessionRoutes(api, context);
  apiKeyRoutes(api, context);
  secondFactorRoutes(api, context);
}
