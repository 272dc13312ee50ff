import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ErrorCode } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { toProblem } from '../../http/problem-details.ts';
import type { ApiContext } from '../faces.ts';
import { LINK_TRIES_PER_MINUTE_MAX, OIDC_FLOW_MS } from './limits.ts';
import { createOidcClient, signInWithClaims } from './oidc.ts';
import { createSignInLimits } from './sign-in-limits.ts';
import { createWelcomeReply, fromOf } from './welcome-reply.ts';

const FLOWS_COOKIE = 'tardigrade_oidc';
const CALLBACK_CHARS_MAX = 4_096;

/** The pages of what the same person can try again. */
const PASSING: Partial<Record<ErrorCode, string>> = {
  rate_limited: 'busy',
  overloaded: 'busy',
  unauthenticated: 'changed',
};

/** As openid-client throws it: its own code, such as OAUTH_TIMEOUT, and the provider's, such as invalid_client. */
interface Refusal extends Error {
  readonly code?: string;
  readonly error?: string;
}

/** Two pages that a browser passes through on its way to the provider and back. Absent where it is not configured. */
export function oidcPages(app: App, context: ApiContext): void {
  const { config, log } = context;
  const client = createOidcClient(config);
  if (client === undefined) return;
  // Only those that fail: a whole company may come from one network at nine o'clock.
  const tries = context.createRateLimit('sign-ins', LINK_TRIES_PER_MINUTE_MAX);
  const welcomed = createWelcomeReply(config, createSignInLimits(config.secretKey, context.createRateLimit));
  // Lax: the provider's answer is a navigation from another site, and has to bring the cookie.
  // It stays until it expires: another tab may be on its way, and a code works once, which the provider sees to.
  const cookie = {
    path: '/oidc',
    httpOnly: true,
    sameSite: 'lax',
    secure: config.apiUrl.startsWith('https:'),
    maxAge: OIDC_FLOW_MS / 1000,
  } as const;
  const page = {
    exposeHeadRoute: false, // both do something
    /** A person waits for a page, not for a document that describes a problem. */
    errorHandler(error: FastifyError, _request: FastifyRequest, reply: FastifyReply) {
      const reason = PASSING[toProblem(error).code];
      if (reason === undefined) throw error;
      return reply.redirect(`/#/sign-in-failed/${reason}`);
    },
  };

  app.get('/oidc/start', page, async (request, reply) => {
    await tries.count(request.network);
    try {
      const { url, flows } = await client.begin(request.cookies[FLOWS_COOKIE]);
      tries.refund(request.network);
      return reply.setCookie(FLOWS_COOKIE, flows, cookie).redirect(url);
    } catch (error) {
      log.warn({ err: error }, 'the OpenID provider does not answer');
      return reply.redirect('/#/sign-in-failed/provider');
    }
  });

  app.get(
    '/oidc/callback',
    {
      ...page,
      schema: {
        querystring: Type.Object({}, { additionalProperties: Type.String({ maxLength: CALLBACK_CHARS_MAX }) }),
      },
    },
    async (request, reply) => {
      await tries.count(request.network);
      const query = new URLSearchParams(request.url.split('?')[1] ?? '');
      reply.header('cache-control', 'no-store');
      const claims = await client.finish(query, request.cookies[FLOWS_COOKIE]).catch((error: Refusal) => {
        // Not all of it: its cause holds the provider's answer, with a code in it.
        const { name, code, error: said } = error;
        log.warn({ reason: name, code, said }, 'a sign-in with OpenID Connect was refused');
      });
      if (claims === undefined) return reply.redirect('/#/sign-in-failed/provider');
      const outcome = await signInWithClaims(request.caller, context, claims, fromOf(request)).catch((error) => {
        if (toProblem(error).code === 'overloaded') tries.refund(request.network); // a try that failed is not theirs
        throw error;
      });
      if ('refused' in outcome) return reply.redirect(`/#/sign-in-failed/${outcome.refused}`);
      tries.refund(request.network);
      if ('ticket' in outcome) return reply.redirect(`/#/second-step/${outcome.ticket}`);
      welcomed(request, reply, outcome.welcome);
      return reply.redirect('/', 303);
    },
  );
}
