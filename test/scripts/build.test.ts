import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { build } from '../../scripts/build.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'tardigrade-build-'));
  write('workers/launch.ts', "console.log('launched');");
  write('src/shared.ts', "export const greeting: string = 'hello from ';");
  for (const name of ['api', 'mailer']) {
    write(`workers/${name}.ts`, `import { greeting } from '../src/shared.ts';\nconsole.log(greeting + '${name}');`);
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('each worker becomes a file beside the launcher, and shared code is written once', async () => {
  expect(await build({ root })).toBe(true);
  expect(run('launch.js')).toBe('launched');
  expect(run('api.js')).toBe('hello from api');
  expect(run('mailer.js')).toBe('hello from mailer');
  expect(readdirSync(path.join(root, 'dist', 'shared')).filter((file) => file.endsWith('.js'))).toHaveLength(1);
});

test('nothing is rebuilt until a source changes', async () => {
  await build({ root });
  expect(await build({ root })).toBe(false);
  write('src/shared.ts', "export const greeting: string = 'goodbye from ';");
  expect(await build({ root })).toBe(true);
  expect(run('api.js')).toBe('goodbye from api');
});

test('a call that is made for its error is still in the bundle', async () => {
  // The bundler knows decodeURIComponent as a function without effects, and takes a call away whose result nobody uses.
  const source = path.resolve(import.meta.dirname, '../../src/http/incoming-text.ts');
  write(
    'workers/api.ts',
    `import { tidyIncomingText } from ${JSON.stringify(source)};
    tidyIncomingText({ addHook: (_, hook) => hook({ url: '/?search=J%FCrgen' }, {}, (error) => console.log(error?.code)) } as any);`,
  );
  await build({ root });
  expect(run('api.js')).toBe('invalid');
});

function write(file: string, content: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
}

function run(file: string): string {
  return execFileSync(process.execPath, [path.join(root, 'dist', file)], { encoding: 'utf8' }).trim();
}
