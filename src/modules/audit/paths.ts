/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/audit-log': {
      /** Who did what in the organisation, newest first */
      get: {
        parameters: {
          query?: {
            limit?: number;
            cursor?: string;
            actorId?: number;
            action?: string;
            from?: string;
            to?: string;
            timeZone?: string;
          };
        };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  at: string;
                  actorId: number | null;
                  actor: string | null;
                  apiKey: string | null;
                  network: string | null;
                  action: string;
                  subject: string | null;
                  details: Record<string, unknown>;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/audit-log/actions': {
      /** What can be in the audit log, and what it says */
      get: {
        responses: {
          200: { content: { 'application/json': { actions: { action: string; says: string }[] } } };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/exports/audit-log.csv': {
      /** The audit log as CSV, streamed, newest first */
      get: {
        parameters: { query?: { actorId?: number; action?: string; from?: string; to?: string; timeZone?: string } };
        responses: { 200: { content: { 'text/csv': unknown } } } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
