import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '../src/files.ts';
import type { Module } from '../src/modules/faces.ts';
import { TEMPLATE_FOLDER, TEMPLATE_MODULE } from './template.ts';

/** The template's module, as long as the project keeps it: without it, none. */
export async function templateModule(): Promise<Module[]> {
  const file = projectFile(TEMPLATE_FOLDER, 'src', 'modules', TEMPLATE_MODULE, 'routes.ts');
  if (!existsSync(file)) return [];
  return [{ name: TEMPLATE_MODULE, routes: () => import(join(file)) }];
}
