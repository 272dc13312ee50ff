/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/conversations': {
      /** Conversations, newest first */
      get: {
        parameters: { query?: { limit?: number; cursor?: string; campaignId?: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  campaign: { id: number; name: string };
                  employee: { id: number; name: string };
                  team: { id: number; name: string };
                  answers: number;
                  scored: number;
                  mood: number | null;
                  startedAt: string;
                  lastMessageAt: string;
                  finishedAt: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/conversations/{id}': {
      /** A conversation with its messages */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                campaign: { id: number; name: string };
                employee: { id: number; name: string };
                team: { id: number; name: string };
                answers: number;
                scored: number;
                mood: number | null;
                startedAt: string;
                lastMessageAt: string;
                finishedAt: string | null;
                messages: {
                  seq: number;
                  sender: string;
                  author: string | null;
                  body: string;
                  asks: string | null;
                  choice: number | null;
                  sentiment: number | null;
                  scored: boolean;
                  at: string;
                }[];
              };
            };
          };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/conversations/{id}/ticket': {
      /** Watch a conversation live */
      post: {
        parameters: { header?: { 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: { content: { 'application/json': { ticket: string; url: string; canSay: boolean } } };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/exports/answers.csv': {
      /** All answers as CSV, streamed */
      get: {
        parameters: { query?: { from?: string; to?: string } };
        responses: { 200: { content: { 'text/csv': unknown } } } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
