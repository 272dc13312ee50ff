/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/registrations': {
      /** Register a new organisation and its owner */
      post: {
        requestBody: {
          content: { 'application/json': { organisation: string; name: string; email: string; password: string } };
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
        } & Problems<400 | 403 | 408 | 409 | 413 | 415 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/sessions': {
      /** Sign in */
      post: {
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
        } & Problems<400 | 401 | 403 | 408 | 409 | 413 | 415 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/sessions/current': {
      /** Sign out */
      delete: {
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 408 | 409 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/me': {
      /** Who is signed in */
      get: {
        responses: {
          200: {
            content: {
              'application/json': {
                user: { id: number; name: string; email: string; role: string };
                organisation: { id: number; name: string };
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
