/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../../../src/http/paths.ts';

declare module '../../../../src/http/paths.ts' {
  interface Paths {
    '/api/v1/notes': {
      /** Notes, newest first */
      get: {
        parameters: { query?: { limit?: number; cursor?: string; status?: 'open' | 'done' } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  title: string;
                  body: string;
                  status: 'open' | 'done';
                  version: number;
                  createdAt: string;
                  updatedAt: string;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
      /** Write a note */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { title: string; body?: string } } };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                title: string;
                body: string;
                status: 'open' | 'done';
                version: number;
                createdAt: string;
                updatedAt: string;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/notes/{id}': {
      /** A note */
      get: {
        parameters: { header?: { 'if-none-match'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                title: string;
                body: string;
                status: 'open' | 'done';
                version: number;
                createdAt: string;
                updatedAt: string;
              };
            };
          };
          304: { content?: never };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
      /** Change a note */
      patch: {
        parameters: { header?: { 'if-match'?: string }; path: { id: number } };
        requestBody: { content: { 'application/json': { title?: string; body?: string; status?: 'open' | 'done' } } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                title: string;
                body: string;
                status: 'open' | 'done';
                version: number;
                createdAt: string;
                updatedAt: string;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 428 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/exports/notes.csv': {
      /** All notes as CSV, streamed */
      get: {
        responses: { 200: { content: { 'text/csv': unknown } } } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
