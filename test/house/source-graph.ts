/**
 * Which file imports which, read by the parser of rolldown, which the build uses anyway. dependency-cruiser would be the
 * usual tool, but up to 18.7 it reads TypeScript only through the API of TypeScript 6 and older: beside TypeScript 7 it
 * skips every .ts file and finds nothing wrong.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync, Visitor } from 'rolldown/utils';

export interface Import {
  /** From the root of the project. */
  readonly file: string;
  readonly target: string;
  /** Only types are imported: a running program does not load the file. */
  readonly typesOnly: boolean;
  /** `import()`: loaded only when it is needed. */
  readonly lazy: boolean;
}

export const ROOT = join(import.meta.dirname, '..', '..');

/** Source files in these folders of the project, relative to its root. */
export function sourceFiles(...folders: string[]): string[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,js}`, { cwd: ROOT }))
    .filter((file) => !file.endsWith('.d.ts') && !file.includes('node_modules/'))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Imports of files of the project; packages are left out. */
export function importsOf(file: string): Import[] {
  const { module, program, errors } = parseSync(file, readSource(file));
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: { request: string; typesOnly?: boolean; lazy?: boolean }[] = [];
  for (const { moduleRequest, entries } of module.staticImports)
    found.push({
      request: moduleRequest.value,
      typesOnly: entries.length > 0 && entries.every(({ isType }) => isType),
    });
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries)
      if (moduleRequest !== null) found.push({ request: moduleRequest.value, typesOnly: isType });
  }
  new Visitor({
    ImportExpression({ source }) {
      if (source.type === 'Literal') found.push({ request: String(source.value), lazy: true });
    },
    TSImportType({ source }) {
      found.push({ request: source.value, typesOnly: true });
    },
    // `declare module './other.ts'` adds to the types of that file.
    TSModuleDeclaration({ id }) {
      if (id.type === 'Literal') found.push({ request: id.value, typesOnly: true });
    },
  }).visit(program);
  return found.flatMap(({ request, typesOnly = false, lazy = false }) => {
    const target = targetOf(file, request);
    return target === undefined ? [] : [{ file, target, typesOnly, lazy }];
  });
}

/** Pages import from the root of web/; everything else by relative path. */
function targetOf(file: string, request: string): string | undefined {
  if (request.startsWith('.')) return normalize(join(dirname(file), request));
  if (request.startsWith('/') && file.startsWith('web/')) return join('web', request);
  return undefined;
}

/** Files that import each other in a ring, each ring once: as text, in the order of the imports. */
export function cyclesIn(imports: readonly Import[]): string[] {
  const next = new Map<string, Set<string>>();
  for (const { file, target } of imports) next.set(file, (next.get(file) ?? new Set()).add(target));
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const cycles: string[] = [];
  function visit(file: string): void {
    state.set(file, 'open');
    path.push(file);
    for (const target of next.get(file) ?? []) {
      if (state.get(target) === 'open') cycles.push([...path.slice(path.indexOf(target)), target].join(' -> '));
      else if (!state.has(target)) visit(target);
    }
    path.pop();
    state.set(file, 'done');
  }
  for (const file of next.keys()) if (!state.has(file)) visit(file);
  return cycles;
}
