/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/mood': {
      /** Mood by day, and by team and day */
      get: {
        parameters: { query?: { from?: string; to?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                from: string;
                to: string;
                groupMin: number;
                organisation: { day: string; mood: number; answers: number; scored: number }[];
                teams: {
                  id: number;
                  name: string;
                  days: { day: string; mood: number; answers: number; scored: number }[];
                }[];
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
