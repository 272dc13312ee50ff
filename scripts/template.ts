import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '../src/files.ts';
import { PRODUCT } from '../src/modules.ts';

/** The module in template/. Its tables, their types and its statements are looked after like those of any other. */
export const TEMPLATE_MODULE = 'notes';
export const TEMPLATE_FOLDER = 'template';
export const TEMPLATE_MIGRATION = projectFile(TEMPLATE_FOLDER, 'migrations', `${TEMPLATE_MODULE}.sql`);

/** The product's modules in their order, and the template's, as long as the project keeps it. */
export function modulesWithTemplate(): string[] {
  const names = PRODUCT.map(({ name }) => name);
  return existsSync(TEMPLATE_MIGRATION) ? [...names, TEMPLATE_MODULE] : names;
}

/** A file of a module, relative to the project: `moduleFile('src', 'notes', 'tables.ts')`. */
export function moduleFile(part: 'src' | 'test', module: string, ...file: string[]): string {
  const path = join(part, 'modules', module, ...file);
  return module === TEMPLATE_MODULE ? join(TEMPLATE_FOLDER, path) : path;
}
