/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/webhooks': {
      /** The webhooks of the organisation, newest first */
      get: {
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  url: string;
                  description: string;
                  eventTypes: string[];
                  version: number;
                  createdAt: string;
                  disabledAt: string | null;
                  disabledBecause: string | null;
                  failingSince: string | null;
                  heldUntil: string | null;
                  previousSecretUntil: string | null;
                }[];
              };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
      /** Create a webhook */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { url: string; description?: string; eventTypes: string[] } } };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                url: string;
                description: string;
                eventTypes: string[];
                version: number;
                createdAt: string;
                disabledAt: string | null;
                disabledBecause: string | null;
                failingSince: string | null;
                heldUntil: string | null;
                previousSecretUntil: string | null;
                secret: string;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/webhook-event-types': {
      /** The types of events that a webhook can listen to */
      get: {
        responses: {
          200: {
            content: {
              'application/json': { types: { type: string; means: string; example: Record<string, unknown> }[] };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/webhooks/{id}/rotate-secret': {
      /** Replace the secret of a webhook */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                url: string;
                description: string;
                eventTypes: string[];
                version: number;
                createdAt: string;
                disabledAt: string | null;
                disabledBecause: string | null;
                failingSince: string | null;
                heldUntil: string | null;
                previousSecretUntil: string | null;
                secret: string;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/webhooks/{id}/test': {
      /** Send a test event, `webhook.test` */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          202: {
            content: {
              'application/json': {
                id: number;
                endpointId: number;
                messageId: string;
                eventType: string;
                status: 'waiting' | 'delivered' | 'dead';
                attempts: number;
                createdAt: string;
                nextAttemptAt: string | null;
                lastAttemptAt: string | null;
                lastStatus: number | null;
                lastMs: number | null;
                lastError: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/webhooks/{id}/deliveries': {
      /** The deliveries of a webhook, newest first */
      get: {
        parameters: {
          query?: { limit?: number; cursor?: string; status?: 'waiting' | 'delivered' | 'dead' };
          path: { id: number };
        };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  endpointId: number;
                  messageId: string;
                  eventType: string;
                  status: 'waiting' | 'delivered' | 'dead';
                  attempts: number;
                  createdAt: string;
                  nextAttemptAt: string | null;
                  lastAttemptAt: string | null;
                  lastStatus: number | null;
                  lastMs: number | null;
                  lastError: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/webhooks/{id}/replay': {
      /** Make all deliveries of a webhook again that were given up */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: { 200: { content: { 'application/json': { replayed: number } } } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/webhook-deliveries/{id}/replay': {
      /** Make one delivery again */
      post: {
        parameters: { header?: { 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                endpointId: number;
                messageId: string;
                eventType: string;
                status: 'waiting' | 'delivered' | 'dead';
                attempts: number;
                createdAt: string;
                nextAttemptAt: string | null;
                lastAttemptAt: string | null;
                lastStatus: number | null;
                lastMs: number | null;
                lastError: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/webhooks/{id}': {
      /** A webhook */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                url: string;
                description: string;
                eventTypes: string[];
                version: number;
                createdAt: string;
                disabledAt: string | null;
                disabledBecause: string | null;
                failingSince: string | null;
                heldUntil: string | null;
                previousSecretUntil: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 429 | 431 | 500 | 503>;
      };
      /** Change, disable or enable a webhook */
      patch: {
        parameters: { header?: { 'if-match'?: string }; path: { id: number } };
        requestBody: {
          content: {
            'application/json': { url?: string; description?: string; eventTypes?: string[]; enabled?: boolean };
          };
        };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                url: string;
                description: string;
                eventTypes: string[];
                version: number;
                createdAt: string;
                disabledAt: string | null;
                disabledBecause: string | null;
                failingSince: string | null;
                heldUntil: string | null;
                previousSecretUntil: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 428 | 429 | 431 | 500 | 503>;
      };
      /** Delete a webhook */
      delete: {
        parameters: { header?: { 'if-match'?: string }; path: { id: number } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
  }
}
