/**
 * What it is: signing in with an OpenID Connect provider, where OIDC_ISSUER and its siblings are set.
 * What fails without it: people keep one more password, and whoever leaves the company keeps the account.
 * How it works: the authorization code flow with PKCE, state and nonce, which wait in a sealed cookie of the browser that
 *   began, for a few tabs at once. An address that is not in the ID token is asked for at the provider's userinfo endpoint:
 *   OpenID Connect Core, 5.4, lets providers choose. An identity is the provider's issuer and subject. It is linked to an account the first time, by address, and
 *   only if both sides have confirmed it: the provider says `email_verified`, and here nobody has an account before its
 *   address is confirmed (registrations.ts). Otherwise whoever can register an address at either side takes over the
 *   account of the other. An account has one subject at the provider: addresses change hands, and the next owner of one is
 *   not let in by it.
 *   A second factor that somebody has set up here is asked for as well.
 * What it costs: openid-client is loaded at the first sign-in of this kind; what the provider says about itself is kept for
 *   OIDC_PROVIDER_MS.
 * Its bound: OIDC_ANSWER_SECONDS for each of OIDC_REQUESTS_MAX requests to the provider, OIDC_FLOWS_MAX. Its proof: test/modules/accounts/oidc.test.ts.
 */
import type { ClientAuth, Configuration } from 'openid-client';
import type { Config } from '../../config.ts';
import type { Caller } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { createSecretBox } from '../../http/secret-box.ts';
import { parseAddress } from '../../mail-address.ts';
import { writeAudit } from '../audit/audit.ts';
import { beginSession, type From, holdAccount, type SignInParts, type Welcome } from './accounts.ts';
import { OIDC_ANSWER_SECONDS, OIDC_FLOW_MS, OIDC_FLOWS_MAX, OIDC_PROVIDER_MS } from './limits.ts';
import { type Identity, linkIdentity, userOfIdentity } from './oidc-queries.ts';
import { userByEmail, userById } from './queries.ts';
import { createSecondStepTicket, hasSecondFactor } from './second-factor.ts';

export interface OidcClient {
  /** Where to send the browser, and what it must bring back. `flows`: what it has of such already, from other tabs. */
  begin(flows: string | undefined): Promise<{ url: string; flows: string }>;
  /** What the provider says about the person; throws for an answer to another question. */
  finish(query: URLSearchParams, flows: string | undefined): Promise<Claims>;
}

interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly until: number;
}

export interface Claims extends Identity {
  readonly email: string | undefined;
  readonly emailVerified: boolean;
}

/** Undefined where it is not configured. */
export function createOidcClient(config: Config): OidcClient | undefined {
  const { oidcIssuer, oidcClientId, oidcClientSecret } = config;
  if (oidcIssuer === undefined || oidcClientId === undefined || oidcClientSecret === undefined) return undefined;
  const redirectUri = `${config.apiUrl}/oidc/callback`;
  const box = createSecretBox(config.secretKey, 'oidc flow');
  let discovered: Promise<Configuration> | undefined;
  let discoveredAt = 0;

  /** Asked again after a failure: the provider may be away for a moment. */
  function provider(client: typeof import('openid-client'), issuer: string, id: string, secret: string) {
    if (discoveredAt < Date.now() - OIDC_PROVIDER_MS) discovered = undefined;
    const options = {
      timeout: OIDC_ANSWER_SECONDS,
      ...(issuer.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {}), // config refuses it in production
    };
    const authenticate: ClientAuth = (server, ...request) => {
      // What a client is registered with that names nothing else (OpenID Connect Core, 9), and some providers are strict.
      const takesBasic = server.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true;
      return (takesBasic ? client.ClientSecretBasic : client.ClientSecretPost)(secret)(server, ...request);
    };
    if (discovered === undefined) {
      discoveredAt = Date.now();
      discovered = client.discovery(new URL(issuer), id, secret, authenticate, options).catch((error) => {
        discovered = undefined;
        throw error;
      });
    }
    return discovered;
  }

  /** Those that have not expired; none of what is not ours. */
  function opened(sealed = ''): Flow[] {
    try {
      const flows: Flow[] = JSON.parse(box.open(PLACE, Buffer.from(sealed, 'base64url')));
      return flows.filter(({ until }) => until > Date.now());
    } catch {
      return [];
    }
  }

  return {
    async begin(sealed) {
      const client = await import('openid-client');
      const configuration = await provider(client, oidcIssuer, oidcClientId, oidcClientSecret);
      const flow: Flow = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        until: Date.now() + OIDC_FLOW_MS,
      };
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
      });
      const flows = [flow, ...opened(sealed)].slice(0, OIDC_FLOWS_MAX);
      return { url: url.href, flows: box.seal(PLACE, JSON.stringify(flows)).toString('base64url') };
    },
    async finish(query, sealed) {
      const flow = opened(sealed).find(({ state }) => state === query.get('state'));
      if (flow === undefined) throw new Error('Not begun by this browser, or too long ago');
      const client = await import('openid-client');
      const configuration = await provider(client, oidcIssuer, oidcClientId, oidcClientSecret);
      const tokens = await client.authorizationCodeGrant(configuration, new URL(`${redirectUri}?${query}`), {
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        pkceCodeVerifier: flow.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('The provider sent no ID token');
      const asksElsewhere = claims['email'] === undefined && configuration.serverMetadata().userinfo_endpoint;
      const person = asksElsewhere
        ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
        : claims;
      return {
        issuer: claims.iss,
        subject: claims.sub,
        email: addressIn(person['email']),
        emailVerified: person['email_verified'] === true,
      };
    },
  };
}

/** As accounts have it: providers pass on what somebody has typed. */
function addressIn(claim: unknown): string | undefined {
  const parsed = parseAddress(typeof claim === 'string' ? claim : '');
  return 'fault' in parsed ? undefined : parsed.address;
}

const PLACE = 'flow';

export type OidcOutcome =
  | { readonly welcome: Welcome }
  /** Their own second factor is asked for. */
  | { readonly ticket: string }
  | { readonly refused: 'no-account' | 'unverified' | 'other-identity' };

/** Throws `unauthenticated` for an account that was removed or has changed while the identity was on its way. */
export async function signInWithClaims(
  caller: Caller,
  parts: SignInParts,
  claims: Claims,
  from: From,
): Promise<OidcOutcome> {
  const everywhere = parts.database.primary(EVERY_ORGANISATION);
  let known = await userOfIdentity(everywhere, claims);
  if (known === undefined) {
    if (claims.email === undefined || !claims.emailVerified) return { refused: 'unverified' };
    const account = await userByEmail(everywhere, claims.email);
    if (account === undefined) return { refused: 'no-account' };
    const [orgId, userId] = [account.org_id, account.id];
    await caller.within(orgId).write(async (transaction) => {
      await holdAccount(transaction, account);
      if (!(await linkIdentity(transaction, orgId, userId, claims))) return;
      const actor = { orgId, userId, network: from.network };
      await writeAudit(transaction, actor, { action: 'identity.linked', subject: claims.issuer });
    });
    known = await userOfIdentity(everywhere, claims);
    if (known === undefined) return { refused: 'other-identity' };
  }
  const user = await userById(parts.database.primary(known.orgId), known.orgId, known.userId);
  if (user === undefined) return { refused: 'no-account' };
  if (await hasSecondFactor(parts.database.primary(known.orgId), known))
    return { ticket: createSecondStepTicket(parts.config.secretKey, known, user.password_hash) };
  return { welcome: await beginSession(caller, parts, user, from, async () => 'oidc') };
}
