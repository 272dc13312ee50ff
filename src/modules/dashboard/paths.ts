/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/summary': {
      /** The key figures */
      get: {
        responses: { 200: { content: { 'application/json': Record<string, unknown> } } } & Problems<
          400 | 401 | 429 | 431 | 500 | 503
        >;
      };
    };
  }
}
