import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectFile } from '../../src/files.ts';
import { loadPages } from '../../src/http/pages.ts';
import { MODULES } from '../../src/modules.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';

const WITH_PAGES = MODULES.map(({ name }) => name)
  .filter((name) => existsSync(projectFile(`web/modules/${name}/index.js`)))
  .reverse(); // an order that no sorting would make

let api: RunningApi;
beforeAll(async () => {
  api = await runApi({ API_URL: 'https://service.example' });
});
afterAll(() => api.stop());

const url = () => `http://127.0.0.1:${api.worker.config.apiPort}`;

test.each([
  ['/', 'web/index.html', 'text/html; charset=utf-8'],
  ['/assets/style.css', 'web/assets/style.css', 'text/css; charset=utf-8'],
  ['/assets/app.js', 'web/assets/app.js', 'text/javascript; charset=utf-8'],
  ['/assets/tardigrade.svg', 'web/assets/tardigrade.svg', 'image/svg+xml'],
  ['/docs', 'web/docs.html', 'text/html; charset=utf-8'],
])('%s is the file %s', async (path, file, type) => {
  const answer = await fetch(url() + path);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe(type);
  expect(await answer.text()).toBe(readFileSync(projectFile(file), 'utf8'));
});

test('/modules.js exports the page part of each module that has one, in the order of the list', () => {
  const pages = loadPages(['first', ...WITH_PAGES, 'last']);
  const answer = pages.answer('/modules.js', {});
  expect(answer?.headers['content-type']).toBe('text/javascript; charset=utf-8');
  const script = String(answer?.body);
  const imported = [...script.matchAll(/^import \* as (\w+) from '\/modules\/(.+)\/index\.js';$/gm)];
  expect(imported.map(([, , name]) => name)).toEqual(WITH_PAGES);
  expect(script).toContain(`export const modules = [${imported.map(([, namespace]) => namespace).join(', ')}];`);
  expect(String(loadPages([]).answer('/modules.js', {})?.body)).toBe('export const modules = [];\n');
});

test('the files of a module are served, but for its pages, which have routes of their own', async () => {
  const files = readdirSync(projectFile('web/modules'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectFile('web'), join(entry.parentPath, entry.name)));
  for (const file of ['modules.js', ...files]) {
    const { status } = await fetch(`${url()}/${file}`);
    expect(`${file}: ${status}`).toBe(`${file}: ${file.endsWith('.html') ? 404 : 200}`);
  }
});

test('a client that accepts gzip gets fewer bytes, any other gets them plain', async () => {
  const zipped = await rawRequest(url(), get('/assets/app.js', 'accept-encoding: br, gzip'));
  const plain = await rawRequest(url(), get('/assets/app.js'));
  expect(zipped).toMatch(/content-encoding: gzip/i);
  expect(plain).not.toMatch(/content-encoding/i);
  expect(lengthOf(zipped)).toBeLessThan(lengthOf(plain) / 1.5);
  expect(zipped).toMatch(/vary: accept-encoding/i);
});

test.each([
  ['gzip', true],
  ['GZIP;q=0.5', true],
  ['deflate, gzip; q=1.0, *; q=0', true],
  ['*', true],
  ['gzip;q=0, identity', false],
  ['gzip ; q = 0.000', false],
  ['*;q=0', false],
  ['*, gzip;q=0', false],
  ['x-gzip-not', false],
  ['identity', false],
  ['', false],
])('Accept-Encoding %j: compressed is %s', async (header, isZipped) => {
  const answer = await rawRequest(url(), get('/assets/app.js', `accept-encoding: ${header}`));
  expect(/content-encoding: gzip/i.test(answer)).toBe(isZipped);
});

test.each(['/assets/app.js', '/docs/openapi.json'])(
  'whoever has %s as it is, in whatever words, gets 304',
  async (path) => {
    const tag = ((await fetch(url() + path)).headers.get('etag') as string).replace('W/', '');
    for (const has of [tag, `W/${tag}`, `"older", W/${tag}`, '*'])
      expect((await fetch(url() + path, { headers: { 'if-none-match': has } })).status, has).toBe(304);
    for (const other of ['"older"', `"older", "oldest"`, tag.slice(1, -1)])
      expect((await fetch(url() + path, { headers: { 'if-none-match': other } })).status, other).toBe(200);
  },
);

test('a page that has not changed is not sent again', async () => {
  const first = await fetch(`${url()}/assets/app.js`);
  const etag = first.headers.get('etag') as string;
  const again = await fetch(`${url()}/assets/app.js`, { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe('');
  const changed = await fetch(`${url()}/assets/app.js`, { headers: { 'if-none-match': '"older"' } });
  expect(changed.status).toBe(200);
});

test('/modules.js imports the page part of each module that has one, in their order', async () => {
  const source = await (await fetch(`${url()}/modules.js`)).text();
  const imported = [...source.matchAll(/'\/modules\/([\w-]+)\/index\.js'/g)].map(([, name]) => name);
  const withPages = TEST_MODULES.map(({ name }) => name).filter((name) =>
    existsSync(projectFile(`web/modules/${name}/index.js`)),
  );
  expect(imported).toEqual(withPages);
  expect(source.match(/export const modules = \[(.*)\]/)?.[1]).toBe(
    imported.map((_, nth) => `module${nth}`).join(', '),
  );
});

test.each([
  '/assets/../../package.json',
  '/assets/..%2f..%2fpackage.json',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/..\\..\\package.json',
  '/assets//etc/passwd',
  '/../package.json',
  '/assets/%00',
  '/assets/',
  '/404.html',
  '/index.html',
  '/docs.html',
  '/modules/../index.html',
  '/modules/',
])('no path leads out of the pages, or to a page by its file name: %s', async (path) => {
  const answer = await rawRequest(url(), get(path));
  expect(answer).toMatch(/^HTTP\/1.1 (404|400) /);
  expect(answer).not.toContain('"dependencies"');
});

function get(path: string, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, 'host: service.example', 'connection: close', ...headers, '', ''].join('\r\n');
}

function lengthOf(answer: string): number {
  return Number(/content-length: (\d+)/i.exec(answer)?.[1]);
}
