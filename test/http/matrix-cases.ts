import { expect } from 'vitest';
import { apiDocument } from '../../scripts/api-document.ts';
import { ERROR_STATUS, type ErrorCode } from '../../src/errors.ts';
import type { Answer } from '../api-client.ts';
import { TEST_MODULES } from '../modules.ts';
import type { Operation } from '../openapi.ts';

export interface Case {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}
/** As it is answered. */
export type Problem = { type: string; status: number; code: ErrorCode; detail: string };

const { paths } = (await apiDocument(TEST_MODULES)) as unknown as { paths: Record<string, Record<string, Operation>> };
/** Every route of the document, by its name. */
export const cases = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const one: Case = { method: method.toUpperCase(), path, operation };
    return [`${one.method} ${path}`, one] as const;
  }),
);

/** The document names the status, and what is not served is a problem document. */
export function expectDocumented({ operation }: Case, { status, body, headers }: Answer<Problem>, what = ''): void {
  expect(Object.keys(operation.responses ?? {}), `${what}: ${JSON.stringify(body)}`).toContain(String(status));
  if (status < 400) return;
  expect(headers.get('content-type'), what).toContain('application/problem+json');
  expect(body.status, what).toBe(status);
  expect(ERROR_STATUS[body.code], what).toBe(status);
  expect(body.type, what).toBe(`/problems/${body.code}`);
}

/** The example of a body in JSON. */
export function jsonOf({ requestBody }: Operation): unknown {
  return requestBody?.content['application/json']?.example;
}
