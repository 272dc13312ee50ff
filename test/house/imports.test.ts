import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';

/** The floors: who may import from where. A folder may always import from itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  workers: [
    'src/modules',
    'src/http',
    'src/db',
    'src/redis',
    'src/queue',
    'src/mail',
    'src/socket',
    'src/process',
    'src/flow',
    'src',
  ],
  'src/modules': [
    'src/http',
    'src/db',
    'src/redis',
    'src/queue',
    'src/mail',
    'src/socket',
    'src/process',
    'src/flow',
    'src',
  ],
  'src/http': ['src/db', 'src/process', 'src/flow', 'src'],
  'src/queue': ['src/db', 'src/redis', 'src/process', 'src/flow', 'src'],
  'src/socket': ['src/process', 'src/flow', 'src'],
  'src/db': ['src/process', 'src/flow', 'src'],
  'src/redis': ['src/process', 'src/flow', 'src'],
  'src/mail': ['src/process', 'src/flow', 'src'],
  'src/process': ['src'],
  'src/flow': ['src'],
  src: [],
};

const root = join(import.meta.dirname, '..', '..');
const files = ['src', 'workers'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file)),
);
const imports = files.flatMap((file) => localImports(file).map((target) => ({ file, target })));

test('there is a house to look at', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(200);
});

test('imports only go down', () => {
  const wrong = imports.filter(
    ({ file, target }) => floorOf(file) !== floorOf(target) && !MAY_IMPORT[floorOf(file)]?.includes(floorOf(target)),
  );
  expect(wrong).toEqual([]);
});

test('a module reaches into another only through its noun, never through its queries, routes, jobs or socket', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [own, other] = [moduleOf(file), moduleOf(target)];
    return (
      own !== undefined && other !== undefined && own !== other && /\/(queries|routes|jobs|socket)\.ts$/.test(target)
    );
  });
  expect(wrong).toEqual([]);
});

test('routes and sockets are loaded by no job, and jobs by no route', () => {
  const wrong = imports.filter(
    ({ file, target }) =>
      (/\/jobs\.ts$/.test(file) && /\/(routes|socket)\.ts$/.test(target)) ||
      (/\/(routes|socket)\.ts$/.test(file) && /\/jobs\.ts$/.test(target)),
  );
  expect(wrong).toEqual([]);
});

test('only config.ts reads the environment, and only launch.ts hands it on', () => {
  const readers = files.filter((file) => /process\.env\b/.test(read(file)));
  expect(readers.sort()).toEqual(['src/config.ts', 'workers/launch.ts']);
});

test('every file that names its proof has it', () => {
  const missing = files.flatMap((file) =>
    [...read(file).matchAll(/\b(?:test|bench)\/[\w./-]+\.ts/g)]
      .map(([proof]) => ({ file, proof }))
      .filter(({ proof }) => !existing.has(proof)),
  );
  expect(missing).toEqual([]);
});

const existing = new Set(
  ['test', 'bench'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ),
);

function localImports(file: string): string[] {
  return [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    normalize(join(dirname(file), path)),
  );
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function floorOf(file: string): string {
  const [top = '', second = ''] = relative('.', file).split('/');
  return top === 'src' && second !== '' && !second.endsWith('.ts') ? `src/${second}` : top;
}

function moduleOf(file: string): string | undefined {
  return /^src\/modules\/([^/]+)\//.exec(file)?.[1];
}
