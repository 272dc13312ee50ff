import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { projectFile } from '../../src/files.ts';
import { MODULES } from '../../src/modules.ts';
import type { Exception } from './exceptions.ts';
import type { SmallGroup } from './small-groups.ts';

/** What a module says of the plans of its own statements. */
export interface ModulePlans {
  readonly exceptions?: readonly Exception[];
  readonly smallGroups?: readonly SmallGroup[];
}

/** Of the modules that say something: test/modules/<noun>/query-plans.ts. */
export function modulePlans(): Promise<ModulePlans[]> {
  const files = MODULES.map(({ name }) => projectFile('test', 'modules', name, 'query-plans.ts')).filter(existsSync);
  return Promise.all(files.map((file): Promise<ModulePlans> => import(pathToFileURL(file).href)));
}
