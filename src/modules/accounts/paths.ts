/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/sign-in-options': {
      /** How people can sign in, besides with a password */
      get: {
        responses: { 200: { content: { 'application/json': { oidc: boolean } } } } & Problems<
          400 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/sessions': {
      /** Sign in */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { email: string; password: string } } };
        responses: {
          201: {
            content: {
              'application/json': {
                token: string;
                user: { id: number; name: string; email: string; role: string };
                organisation: { id: number; name: string };
              };
            };
          };
          202: { content: { 'application/json': { ticket: string } } };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
      /** Your sessions, the latest first */
      get: {
        responses: {
          200: {
            content: {
              'application/json': {
                sessions: {
                  id: number;
                  device: string;
                  network: string;
                  createdAt: string;
                  lastUsedAt: string;
                  current: boolean;
                }[];
              };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/sessions/second-factor': {
      /** Sign in, second step */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { ticket: string; code: string } } };
        responses: {
          201: {
            content: {
              'application/json': {
                token: string;
                user: { id: number; name: string; email: string; role: string };
                organisation: { id: number; name: string };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/sessions/current': {
      /** Sign out */
      delete: {
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/me': {
      /** Who is signed in */
      get: {
        responses: {
          200: {
            content: {
              'application/json': {
                user: { id: number; name: string; email: string; role: string };
                organisation: { id: number; name: string };
                operator: boolean;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/registrations': {
      /** Mail a link to register a new organisation */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { email: string } } };
        responses: { 202: { content: { 'application/json': { email: string } } } } & Problems<
          400 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/registrations/preview': {
      /** Which address a registration is for, given its link */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { token: string } } };
        responses: { 200: { content: { 'application/json': { email: string } } } } & Problems<
          400 | 403 | 408 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/registrations/confirmations': {
      /** Register the organisation and its owner, with the link from the mail, and be signed in */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: {
          content: { 'application/json': { token: string; organisation: string; name: string; password: string } };
        };
        responses: {
          201: {
            content: {
              'application/json': {
                token: string;
                user: { id: number; name: string; email: string; role: string };
                organisation: { id: number; name: string };
              };
            };
          };
        } & Problems<400 | 403 | 408 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/users': {
      /** The members of the organisation */
      get: {
        parameters: { query?: { limit?: number; cursor?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: { id: number; name: string; email: string; role: string; createdAt: string }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/users/{id}': {
      /** A member */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: { content: { 'application/json': { id: number; name: string; email: string; role: string } } };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
      /** Change what a member may do */
      patch: {
        parameters: { header?: { 'if-match'?: string }; path: { id: number } };
        requestBody: { content: { 'application/json': { role: 'owner' | 'admin' | 'viewer' } } };
        responses: {
          200: { content: { 'application/json': { id: number; name: string; email: string; role: string } } };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 428 | 429 | 431 | 500 | 503>;
      };
      /** Remove a member, or leave */
      delete: {
        parameters: { header?: { 'if-match'?: string }; path: { id: number } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/invitations': {
      /** Invitations that nobody has used yet, newest first */
      get: {
        parameters: { query?: { limit?: number; cursor?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  email: string;
                  role: string;
                  invitedBy: string;
                  createdAt: string;
                  expiresAt: string;
                  mailedAt: string | null;
                  mailProblem: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
      /** Invite somebody by mail */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { email: string; role: 'owner' | 'admin' | 'viewer' } } };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                email: string;
                role: string;
                invitedBy: string;
                createdAt: string;
                expiresAt: string;
                mailedAt: string | null;
                mailProblem: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/invitations/{id}': {
      /** Withdraw an invitation */
      delete: {
        parameters: { path: { id: number } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/invitations/preview': {
      /** What an invitation is to, for whoever has its link */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { token: string } } };
        responses: {
          200: { content: { 'application/json': { organisation: string; email: string; role: string } } };
        } & Problems<400 | 403 | 408 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/memberships': {
      /** Accept an invitation, and be signed in */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { token: string; name: string; password: string } } };
        responses: {
          201: {
            content: {
              'application/json': {
                token: string;
                user: { id: number; name: string; email: string; role: string };
                organisation: { id: number; name: string };
              };
            };
          };
        } & Problems<400 | 403 | 408 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/password': {
      /** Change your password */
      put: {
        requestBody: { content: { 'application/json': { current: string; password: string } } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/password-resets': {
      /** Mail a link to reset a forgotten password */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { email: string } } };
        responses: { 204: { content?: never } } & Problems<
          400 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/password-resets/confirmations': {
      /** Choose a new password, with the link from the mail */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { token: string; password: string } } };
        responses: { 204: { content?: never } } & Problems<
          400 | 403 | 408 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/sessions/others': {
      /** End all your sessions but this one */
      delete: {
        responses: { 200: { content: { 'application/json': { ended: number } } } } & Problems<
          400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/sessions/{id}': {
      /** End one of your sessions */
      delete: {
        parameters: { path: { id: number } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/api-keys': {
      /** The API keys of the organisation, newest first */
      get: {
        parameters: { query?: { limit?: number; cursor?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  name: string;
                  prefix: string;
                  scope: string;
                  createdAt: string;
                  expiresAt: string | null;
                  owner: string;
                  lastUsedAt: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
      /** Create an API key */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: {
          content: { 'application/json': { name: string; scope: 'read' | 'write'; expiresInDays?: number } };
        };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                name: string;
                prefix: string;
                scope: string;
                createdAt: string;
                expiresAt: string | null;
                key: string;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/api-keys/{id}': {
      /** Revoke an API key */
      delete: {
        parameters: { path: { id: number } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/second-factor': {
      /** Whether signing in needs a code, too */
      get: {
        responses: {
          200: { content: { 'application/json': { since: string | null; recoveryCodesLeft: number } } };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
      /** A secret for an authenticator app */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { password: string } } };
        responses: {
          201: { content: { 'application/json': { secret: string; uri: string; qrCode: string } } };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/second-factor/confirmation': {
      /** From now on, signing in needs a code */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { code: string } } };
        responses: { 200: { content: { 'application/json': { recoveryCodes: string[] } } } } & Problems<
          400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/second-factor/removal': {
      /** Signing in needs no code any more */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { password: string; code: string } } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
  }
}
