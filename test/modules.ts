import { join } from 'node:path';
import type { Module } from '../src/modules/faces.ts';
import { MODULES } from '../src/modules.ts';

/**
 * The module that `npm run new:module` makes, before its noun is put in. The platform's own tests use it, so that they
 * need no module of a product, and the template is always one that runs.
 */
export const NOTES: Module = {
  name: 'notes',
  actions: () => import('../template/src/modules/notes/actions.ts'),
  routes: () => import('../template/src/modules/notes/routes.ts'),
  events: () => import('../template/src/modules/notes/events.ts'),
  figures: () => import('../template/src/modules/notes/figures.ts'),
  jobs: () => import('../template/src/modules/notes/jobs.ts'),
  retention: () => import('../template/src/modules/notes/retention.ts'),
  staging: () => import('../template/src/modules/notes/staging.ts'),
};

const PROJECT = join(import.meta.dirname, '..');
const TEMPLATE = join(PROJECT, 'template');

/** The service's modules, and the template's. */
export const TEST_MODULES: readonly Module[] = [...MODULES, NOTES];

/** Where the code of a module is. */
export function moduleFolder(name: string): string {
  return join(rootOf(name), 'src', 'modules', name);
}

/** Where the tests of a module are, and what it tells the tests that hold for every module. */
export function testFolder(name: string): string {
  return join(rootOf(name), 'test', 'modules', name);
}

function rootOf(name: string): string {
  return name === NOTES.name ? TEMPLATE : PROJECT;
}
