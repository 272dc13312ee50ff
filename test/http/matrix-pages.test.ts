import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR_STATUS } from '../../src/errors.ts';
import type { App } from '../../src/http/app.ts';
import type { Module } from '../../src/modules/faces.ts';
import { HEALTH_PATHS } from '../../src/process/health-endpoints.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { cases, type Problem } from './matrix-cases.ts';

/** As matrix.test.ts, for what is not in the document: pages, their files, and links that lead to them. */
const READS = ['GET', 'HEAD'];
const METHODS = [...READS, 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** What the platform serves besides /api, by its route. Those of modules are asked for. */
const routes = new Map<string, string[]>(
  [
    '/',
    '/modules.js',
    '/assets/*',
    '/modules/*',
    '/problems/:code',
    '/docs',
    '/docs/openapi.json',
    ...HEALTH_PATHS,
  ].map((path) => [path, READS]),
);
let app: App;
const LISTENING: Module = {
  name: 'listening',
  routes: async () => ({
    routes: () => undefined,
    publicRoutes(given) {
      app = given;
      app.addHook('onRoute', ({ url, method, prefix }) => {
        if (prefix.startsWith('/api/')) return;
        routes.set(url, [...(routes.get(url) ?? []), ...[method].flat()]);
      });
    },
  }),
};

let api: RunningApi;
beforeAll(async () => {
  const provider = { OIDC_ISSUER: 'http://127.0.0.1:1', OIDC_CLIENT_ID: 'none', OIDC_CLIENT_SECRET: 'none' };
  api = await runApi(provider, [LISTENING, ...TEST_MODULES]);
});
afterAll(() => api.stop());

test('every route is either in the document or in this matrix', () => {
  const documented = cases.map(([, { path }]) => path.replace(/\{(\w+)\}/g, ':$1'));
  const known = new Set([...documented, ...routes.keys()]);
  const served = routesIn(app.printRoutes({ commonPrefix: false }));
  expect(served.length).toBeGreaterThan(cases.length / 2);
  // Its tree shows several addresses that end with a star as one.
  expect(served.filter((path) => !known.has(path))).toEqual(['/*']);
});

const NOTHING = ['abc', '%00', 'a%00b', '..%2f..%2fetc%2fpasswd', '%F0%9F%90%BB', '%3Cscript%3E', "1'--", '%0d%0ax:y'];
const UNREADABLE = ['%', '%zz', '%ff', 'a'.repeat(150), 'a'.repeat(1_000)];

test('an address that leads nowhere is answered with a page or a problem, whatever the method', async () => {
  for (const [route, methods] of routes)
    for (const path of [...NOTHING, ...UNREADABLE].map((junk) => addressOf(route, junk)))
      for (const method of METHODS) {
        const answer = await ask(method, path);
        const hint = `${method} ${path}: ${answer.status}`;
        expect([400, 404], hint).toContain(answer.status);
        expectRefusal(answer, hint);
        if (!methods.includes(method) && UNREADABLE.every((junk) => !path.includes(junk)))
          expect(answer.status, hint).toBe(404);
      }
});

test('what is there is served to GET and HEAD alike, and to no other method', async () => {
  for (const [route, methods] of [...routes].filter(([path]) => !/[:*]/.test(path)))
    for (const query of ['', '?a=%00&b=%ff&__proto__=1', `?${'a'.repeat(4_000)}`])
      for (const method of METHODS) {
        const answer = await ask(method, route + query);
        const hint = `${method} ${route}${query.slice(0, 20)}: ${answer.status}`;
        if (methods.includes(method)) expect([200, 302, 400, 404], hint).toContain(answer.status);
        else expect(answer.status, hint).toBe(404);
        if (answer.status >= 400) expectRefusal(answer, hint);
      }
});

test('HEAD is answered as GET is, to people and to programs, without a body', async () => {
  for (const [route, methods] of routes)
    for (const path of ['abc', '%ff', 'a'.repeat(1_000)].flatMap((junk) => [route, addressOf(route, junk)]))
      for (const accept of ['text/html', '*/*']) {
        if (!methods.includes('HEAD')) continue;
        const [got, head] = [await ask('GET', path, accept), await ask('HEAD', path, accept)];
        expect([head.status, head.type, head.text], path).toEqual([got.status, got.type, '']);
      }
});

test('a person who opens a link that was broken on its way gets a page', async () => {
  const links = [...routes.keys()].filter((route) => route.endsWith('/:token'));
  for (const route of [...links, '/problems/:code'])
    for (const junk of [...NOTHING, ...UNREADABLE]) {
      const answer = await ask('GET', addressOf(route, junk), 'text/html,*/*');
      expect([answer.status, answer.type], `${route} ${junk}`).toEqual([404, 'text/html']);
      expect(answer.text).not.toContain('<script>');
    }
});

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

async function ask(method: string, path: string, accept = '*/*'): Promise<Answer> {
  const response = await fetch(`${api.url}${path}`, { method, headers: { accept }, redirect: 'manual' });
  const type = response.headers.get('content-type')?.split(';')[0];
  return { status: response.status, type, text: await response.text() };
}

function expectRefusal({ status, type, text }: Answer, hint: string): void {
  expect(['application/problem+json', 'text/html'], hint).toContain(type);
  if (type === 'text/html' || text === '') return;
  const problem = JSON.parse(text) as Problem;
  expect([problem.status, ERROR_STATUS[problem.code], problem.type], hint).toEqual([
    status,
    status,
    `/problems/${problem.code}`,
  ]);
}

/** One that leads nowhere: in place of what the route leaves open, or behind it. */
function addressOf(route: string, junk: string): string {
  return /[:*]/.test(route) ? route.replace(/:\w+|\*/, () => junk) : `${route.replace(/\/$/, '')}/${junk}`;
}

/** From the tree that fastify prints: each line has what it adds to the line that it is under, and its methods. */
function routesIn(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods] = /^(.*?)[├└]── (.*?)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === '') return [];
    const depth = indent.length / 4;
    above[depth] = part;
    return methods === undefined ? [] : [above.slice(0, depth + 1).join('')];
  });
}
