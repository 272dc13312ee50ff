/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/employees': {
      /** Employees, oldest first; search results are ordered by the matched text */
      get: {
        parameters: { query?: { limit?: number; cursor?: string; search?: string; teamId?: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  name: string;
                  email: string;
                  team: { id: number; name: string };
                  unsubscribedAt: string | null;
                  createdAt: string;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/employees/{id}/personal-data': {
      /** Everything that is held about one employee */
      get: {
        parameters: { path: { id: number } };
        responses: { 200: { content: { 'application/json': Record<string, unknown[]> } } } & Problems<
          400 | 401 | 403 | 404 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/employees/{id}': {
      /** Erase one employee, with everything that is held about them */
      delete: {
        parameters: { path: { id: number } };
        responses: { 204: { content?: never } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/teams': {
      /** All teams */
      get: {
        responses: {
          200: { content: { 'application/json': { items: { id: number; name: string; employees: number }[] } } };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/imports': {
      /** Create an import, whose file is sent next */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { fileName: string } } };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                fileName: string;
                status: string;
                rowsRead: number;
                rowsAdded: number;
                rowsUpdated: number;
                rowsUnchanged: number;
                rowsRejected: number;
                rejections: { line: number; reason: string }[];
                error: string | null;
                reading: {
                  encoding: string;
                  encodingKnownBy: string;
                  delimiter: string;
                  headerLine: number | null;
                  columns: {
                    name: { column: number; title: string | null }[];
                    email: { column: number; title: string | null };
                    team: { column: number; title: string | null } | null;
                  };
                } | null;
                createdAt: string;
                finishedAt: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
      /** Imports, newest first */
      get: {
        parameters: { query?: { limit?: number; cursor?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  fileName: string;
                  status: string;
                  rowsRead: number;
                  rowsAdded: number;
                  rowsUpdated: number;
                  rowsUnchanged: number;
                  rowsRejected: number;
                  rejections: { line: number; reason: string }[];
                  error: string | null;
                  reading: {
                    encoding: string;
                    encodingKnownBy: string;
                    delimiter: string;
                    headerLine: number | null;
                    columns: {
                      name: { column: number; title: string | null }[];
                      email: { column: number; title: string | null };
                      team: { column: number; title: string | null } | null;
                    };
                  } | null;
                  createdAt: string;
                  finishedAt: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/imports/{id}': {
      /** An import and its progress */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                fileName: string;
                status: string;
                rowsRead: number;
                rowsAdded: number;
                rowsUpdated: number;
                rowsUnchanged: number;
                rowsRejected: number;
                rejections: { line: number; reason: string }[];
                error: string | null;
                reading: {
                  encoding: string;
                  encodingKnownBy: string;
                  delimiter: string;
                  headerLine: number | null;
                  columns: {
                    name: { column: number; title: string | null }[];
                    email: { column: number; title: string | null };
                    team: { column: number; title: string | null } | null;
                  };
                } | null;
                createdAt: string;
                finishedAt: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/imports/preview': {
      /** See how a file would be read */
      post: {
        parameters: {
          query?: {
            encoding?: string;
            delimiter?: string;
            header?: boolean;
            name?: string;
            email?: number;
            team?: number;
          };
          header?: { 'idempotency-key'?: string };
        };
        requestBody: { content: { 'text/csv': unknown } };
        responses: {
          200: {
            content: {
              'application/json': {
                encoding: string;
                encodingKnownBy: string;
                encodingSure: boolean;
                encodings: string[];
                doubtfulLines: { line: number; text: string }[];
                delimiter: string;
                headerLine: number | null;
                titles: string[];
                columns: { name: number[]; email: number | null; team: number | null };
                problem: string | null;
                rowsRead: number;
                rowsRejected: number;
                rows: {
                  line: number;
                  cells: string[];
                  employee: { name: string; email: string; team: string } | null;
                  rejected: string | null;
                }[];
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/imports/{id}/file': {
      /** Send the file of an import (text/csv) */
      put: {
        parameters: {
          query?: {
            encoding?: string;
            delimiter?: string;
            header?: boolean;
            name?: string;
            email?: number;
            team?: number;
          };
          path: { id: number };
        };
        requestBody: { content: { 'text/csv': unknown } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                fileName: string;
                status: string;
                rowsRead: number;
                rowsAdded: number;
                rowsUpdated: number;
                rowsUnchanged: number;
                rowsRejected: number;
                rejections: { line: number; reason: string }[];
                error: string | null;
                reading: {
                  encoding: string;
                  encodingKnownBy: string;
                  delimiter: string;
                  headerLine: number | null;
                  columns: {
                    name: { column: number; title: string | null }[];
                    email: { column: number; title: string | null };
                    team: { column: number; title: string | null } | null;
                  };
                } | null;
                createdAt: string;
                finishedAt: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
