import type { Module } from '../src/modules/faces.ts';
import { MODULES } from '../src/modules.ts';

/**
 * The module that `npm run new:module` makes, before its noun is put in. The platform's own tests use it, so that they
 * need no module of a product, and the template is always one that runs.
 */
export const NOTES: Module = {
  name: 'notes',
  routes: () => import('../template/src/modules/notes/routes.ts'),
  figures: () => import('../template/src/modules/notes/figures.ts'),
  jobs: () => import('../template/src/modules/notes/jobs.ts'),
};

/** Those of the service, and the template's. */
export const TEST_MODULES: readonly Module[] = [...MODULES, NOTES];
