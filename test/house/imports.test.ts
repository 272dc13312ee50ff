import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MODULES } from '../../src/modules.ts';
import { NOTES } from '../modules.ts';
import { cyclesIn, type Import, importsOf, ROOT, readSource, sourceFiles } from './source-graph.ts';

const PLATFORM_FLOORS = ['src/http', 'src/db', 'src/redis', 'src/queue', 'src/mail', 'src/socket'];
const LOWER_FLOORS = ['src/process', 'src/flow', 'src'];
const ABOVE_MODULES = ['src/modules.ts', 'src/modules', ...PLATFORM_FLOORS, ...LOWER_FLOORS];

/** The floors of the house: what a folder may import besides itself. `src` is the files right in it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  workers: ABOVE_MODULES,
  'src/modules.ts': ['src/modules'],
  'src/modules': [...PLATFORM_FLOORS, ...LOWER_FLOORS, 'web'], // only types and protocols: see below
  'src/http': ['src/db', ...LOWER_FLOORS],
  'src/queue': ['src/db', 'src/redis', ...LOWER_FLOORS],
  'src/socket': LOWER_FLOORS,
  'src/db': LOWER_FLOORS,
  'src/redis': LOWER_FLOORS,
  'src/mail': ['src/flow', 'src'],
  'src/process': ['src'],
  'src/flow': ['src'],
  src: [],
  'template/src': ['src/modules', ...PLATFORM_FLOORS, ...LOWER_FLOORS],
  'template/bench': ['bench', ...ABOVE_MODULES],
  'template/test': ['template/src', 'test', ...ABOVE_MODULES],
  scripts: ['bench', 'workers', ...ABOVE_MODULES], // the document of an api is that of the parts that the worker gives it
  bench: ['scripts', 'web', ...ABOVE_MODULES],
  web: [],
};

/** In the order in which each may use those before it. */
const NOUNS = [...MODULES, NOTES].map(({ name }) => name);

/** The files of a module that other modules may import: its noun file, and its ceilings, which theirs may depend on. */
const isDoor = (file: string, noun: string) => file.endsWith(`/${noun}/${noun}.ts`) || file.endsWith('/limits.ts');

const files = sourceFiles('src', 'workers', 'bench', 'scripts', 'template', 'web');
const imports = files.flatMap(importsOf);

test('the graph holds the whole project', () => {
  expect(files.length).toBeGreaterThan(150);
  expect(imports.length).toBeGreaterThan(500);
  for (const folder of Object.keys(MAY_IMPORT))
    expect(files.filter((file) => floorOf(file) === folder)).not.toEqual([]);
});

test('every import leads to a file', () => {
  // The server makes this one from the list of modules.
  const isMade = (target: string) => target === 'web/modules.js';
  const wrong = imports.filter(({ target }) => !isMade(target) && !existsSync(join(ROOT, target)));
  expect(wrong.map(described)).toEqual([]);
});

test('imports only go down', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [own, other] = [floorOf(file), floorOf(target)];
    return own !== other && !MAY_IMPORT[own]?.includes(other);
  });
  expect(wrong.map(described)).toEqual([]);
});

test('the server takes nothing from the pages but types, and the protocol that both speak', () => {
  const wrong = imports.filter(
    ({ file, target, typesOnly }) =>
      /^(?:template\/)?(?:src|workers)\//.test(file) &&
      target.startsWith('web/') &&
      !target.endsWith('/protocol.js') &&
      !typesOnly,
  );
  expect(wrong.map(described)).toEqual([]);
});

test('files never import each other in a cycle, not even types', () => {
  expect(cyclesIn(imports)).toEqual([]);
});

test('a module imports only itself and the modules before it in src/modules.ts', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [own, other] = [nounOf(file), nounOf(target)];
    return own !== undefined && other !== undefined && NOUNS.indexOf(other) > NOUNS.indexOf(own);
  });
  expect(wrong.map(described)).toEqual([]);
});

test('what belongs to no module imports no module of the product, except through src/modules.ts', () => {
  const product = NOUNS.slice(NOUNS.indexOf('operations') + 1);
  const wrong = imports.filter(
    ({ file, target }) =>
      nounOf(file) === undefined && file !== 'src/modules.ts' && product.includes(nounOf(target) ?? ''),
  );
  expect(wrong.map(described)).toEqual([]);
});

test('a module uses another one only through its noun file and its limits', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [own, other] = [nounOf(file), nounOf(target)];
    const isInSource = /^(?:template\/)?src\//.test(file);
    return isInSource && own !== undefined && other !== undefined && own !== other && !isDoor(target, other);
  });
  expect(wrong.map(described)).toEqual([]);
});

test('a job loads neither routes nor sockets, and these load no job', () => {
  const FACES = /\/(routes|socket|jobs)\.ts$/;
  const wrong = imports.filter(({ file, target }) => {
    const [own, other] = [FACES.exec(file)?.[1], FACES.exec(target)?.[1]];
    return own !== undefined && other !== undefined && (own === 'jobs') !== (other === 'jobs');
  });
  expect(wrong.map(described)).toEqual([]);
});

test('a page part of a module imports itself, modules before it and /assets; /assets imports no module', () => {
  const wrong = imports.filter(({ file, target }) => {
    if (!file.startsWith('web/')) return false;
    if (nounOf(target) !== undefined) return nounOf(file) === undefined;
    return !target.startsWith('web/assets/') && !(target === 'web/modules.js' && nounOf(file) === undefined);
  });
  expect(wrong.map(described)).toEqual([]);
});

test('the hardened half of a pattern is the technique itself: it imports no module', () => {
  const hardened = imports.filter(({ file }) => /^bench\/patterns\/[^/]+\/hardened\.ts$/.test(file));
  expect(hardened.length).toBeGreaterThan(5);
  expect(hardened.filter(({ target }) => floorOf(target) === 'src/modules').map(described)).toEqual([]);
});

test('only config.ts reads the environment, and only launch.ts passes it on', () => {
  const readers = files.filter(
    (file) => /^(src|workers|template)\//.test(file) && /process\.env\b/.test(readSource(file)),
  );
  expect(readers.filter((file) => !file.startsWith('template/test/'))).toEqual(['src/config.ts', 'workers/launch.ts']);
});

test('every test and bench case that a comment names exists', () => {
  const missing = files.flatMap((file) =>
    [...readSource(file).matchAll(/\b(?:template\/)?(?:test|bench)\/[\w./-]*\w/g)]
      .map(([proof]) => proof)
      .filter((proof) => /\.ts$|^bench\/patterns\/[\w-]+$/.test(proof) && !existsSync(join(ROOT, proof)))
      .map((proof) => `${file}: ${proof}`),
  );
  expect(missing).toEqual([]);
});

function described({ file, target, typesOnly }: Import): string {
  return `${file} -> ${target}${typesOnly ? ' (types)' : ''}`;
}

function floorOf(file: string): string {
  if (file === 'src/modules.ts') return file;
  const [top = '', second = ''] = file.split('/');
  return (top === 'src' || top === 'template') && !second.endsWith('.ts') ? `${top}/${second}` : top;
}

function nounOf(file: string): string | undefined {
  return /^(?:template\/)?[\w-]+\/modules\/([^/.]+)\//.exec(file)?.[1];
}
