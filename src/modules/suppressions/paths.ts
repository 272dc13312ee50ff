/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/suppressions': {
      /** Addresses that are not sent mail, newest first; search results are ordered by address */
      get: {
        parameters: { query?: { limit?: number; cursor?: string; search?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  address: string;
                  reason: string;
                  detail: string;
                  createdAt: string;
                  liftedAt: string | null;
                  liftedBy: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
      /** Suppress an address by hand */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { address: string } } };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                address: string;
                reason: string;
                detail: string;
                createdAt: string;
                liftedAt: string | null;
                liftedBy: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/suppressions/{id}/lift': {
      /** Let an address be sent mail again */
      post: {
        parameters: { header?: { 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                address: string;
                reason: string;
                detail: string;
                createdAt: string;
                liftedAt: string | null;
                liftedBy: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/mail-events': {
      /** Report bounces and complaints, signed (for mail providers) */
      post: {
        requestBody: {
          content: {
            'application/json': {
              events: { type: 'bounce' | 'complaint'; reference: string; permanent?: boolean; reason?: string }[];
            };
          };
        };
        responses: { 200: { content: { 'application/json': { taken: number; ignored: number } } } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
  }
}
