import { afterEach, expect, test } from 'vitest';
import { uncoveredRoutes } from '../../bench/coverage.ts';
import { answerJson, listen } from './load/loopback-server.ts';
import { madeUpModule } from './made-up-module.ts';

let server: Awaited<ReturnType<typeof listen>> | undefined;
afterEach(() => server?.close());

test('routes and declared messages that nobody loads are named, those that are loaded are not', async () => {
  const paths = { '/api/v1/me': { get: {} }, '/api/v1/notes': { get: {}, post: {} } };
  server = await listen((_request, response) => answerJson(response, { paths }));
  const covers = ['GET /api/v1/me', 'GET /api/v1/notes'];
  expect(await uncoveredRoutes(server.url, [madeUpModule], covers)).toEqual(['POST /api/v1/notes', 'socket note']);
});

test('a document without routes is an error, for the check would prove nothing', async () => {
  server = await listen((_request, response) => answerJson(response, { paths: {} }));
  await expect(uncoveredRoutes(server.url, [madeUpModule], [])).rejects.toThrow('names no routes');
});
