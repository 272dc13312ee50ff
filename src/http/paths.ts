/**
 * The types of the API for its clients, in the shape that openapi-fetch reads: `createClient<Paths>()`. Each module's
 * paths.ts, which `npm run generate:client` writes from the OpenAPI document, adds its own paths.
 */

// biome-ignore lint/suspicious/noEmptyInterface: modules add to it
export interface Paths {}

/** RFC 9457: the body of every answer that is not what was asked for. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: { path: string; message: string }[];
}

export type Problems<Status extends number> = {
  [S in Status]: { content: { 'application/problem+json': Problem } };
};
