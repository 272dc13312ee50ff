/**
 * `npm run generate:client`: writes the types of the API for its clients from the OpenAPI document, a paths.ts for each
 * module that has routes. The platform's are made from the platform alone: its home page shows figures of all modules.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Module } from '../src/modules/faces.ts';
import { PLATFORM, PRODUCT } from '../src/modules.ts';
import { apiDocument } from './api-document.ts';
import { type DescribedPaths, pathTypes } from './client-types.ts';
import { moduleFile } from './template.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const SHARED_FILE = path.join('src', 'http', 'paths.ts');
const HEADER = '/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */\n';

/** The files, by their paths in the project. `template`: the template's module, where the project has it. */
export async function generateClient(template: readonly Module[]): Promise<Map<string, string>> {
  const [platform, all] = [await apiDocument(PLATFORM), await apiDocument([...PLATFORM, ...PRODUCT, ...template])];
  const texts = new Map<string, string>();
  for (const { name } of [...PLATFORM, ...PRODUCT, ...template]) {
    const document = PLATFORM.some((one) => one.name === name) ? platform : all;
    const own = pathsOf(name, document.paths as unknown as DescribedPaths);
    if (Object.keys(own).length === 0) continue;
    const file = moduleFile('src', name, 'paths.ts');
    const shared = path.relative(path.dirname(file), SHARED_FILE);
    const text = `${HEADER}import type { Problems } from '${shared}';\ndeclare module '${shared}' {\ninterface Paths {\n${pathTypes(own)}\n}\n}\n`;
    texts.set(file, formatted(file, text));
  }
  return texts;
}

/** A path can have operations of one module only. */
function pathsOf(module: string, paths: DescribedPaths): DescribedPaths {
  const own = Object.entries(paths).filter(([, methods]) =>
    Object.values(methods).some(({ tags }) => tags?.[0] === module),
  );
  return Object.fromEntries(own);
}

function formatted(file: string, text: string): string {
  const biome = path.join(ROOT, 'node_modules', '.bin', 'biome');
  return execFileSync(biome, ['check', '--write', `--stdin-file-path=${file}`], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
  });
}

if (import.meta.main) {
  const { templateModule } = await import('./template-module.ts');
  for (const [file, text] of await generateClient(await templateModule())) {
    writeFileSync(path.join(ROOT, file), text);
    console.log(`wrote ${file}`);
  }
}
